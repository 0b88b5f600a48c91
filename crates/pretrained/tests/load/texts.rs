//! Chat templates and the edges of tokenizers.

use crate::gguf::{self, text};
use crate::same::of_gguf;
use crate::tiny::{Family, tiny};
use pretrained::{Error, Message, Pretrained};

fn with(key: &str, value: &str) -> Result<Pretrained, Error> {
    let mut file = gguf::of(&tiny(Family::Llama, true));
    file.set(key, text(value));
    of_gguf(&file)
}

fn render(template: &str, messages: &[Message]) -> Result<String, Error> {
    let loaded = with("tokenizer.chat_template", template).expect("a template that can be read");
    loaded.chat.expect("a template").render(messages, true)
}

fn talk() -> Vec<Message> {
    [
        ("system", "be short"),
        ("user", " a "),
        ("assistant", "<t>why</t>\n\nb"),
        ("user", "c"),
    ]
    .map(|(role, content)| Message::new(role, content))
    .into()
}

#[test]
fn templates_have_what_python_gives_them() {
    let cases = [
        (
            "{{ bos_token }}{{ messages[0]['role'] }}{{ eos_token }}",
            "<|start|>system<|end|>",
        ),
        (
            "{% for m in messages[1:] %}{{ loop.first }}{{ m.content | trim }};{% endfor %}",
            "Truea;False<t>why</t>\n\nb;Falsec;",
        ),
        (
            "{{ messages[2]['content'].split('</t>')[-1].lstrip('\\n') }}",
            "b",
        ),
        (
            "{{ messages[-1].role.upper() + messages[1].content.strip() }}",
            "USERa",
        ),
        (
            "{% if 'why' in messages[2].content and not tools %}yes{% endif %}",
            "yes",
        ),
        (
            "{% set n = namespace(last='') %}{% for m in messages %}{% if m.role == 'user' %}{% set n.last = m.content %}{% endif %}{% endfor %}{{ n.last }}",
            "c",
        ),
        (
            "{% for m in messages %}{% if loop.index0 == 1 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
            "system",
        ),
        (
            "{% for m in messages %}\n    {% if m.role == 'user' %}\n{{ m.content }}\n    {% endif %}\n{% endfor %}\n",
            " a \nc\n",
        ),
        ("{%- if add_generation_prompt -%}\n  go\n{%- endif %}", "go"),
        (
            "{% if messages[0].content is string and date is not defined %}ok{% endif %}",
            "ok",
        ),
        ("{{ '<&>' }}", "<&>"),
    ];
    for (template, expected) in cases {
        assert_eq!(
            render(template, &talk()).expect(template),
            expected,
            "{template}"
        );
    }
}

#[test]
fn templates_refuse_in_their_own_words() {
    let cases = [
        (
            "{% if messages[0].role == 'system' %}{{ raise_exception('no system here') }}{% endif %}",
            "no system here",
        ),
        ("{{ strftime_now('%d %b %Y') }}", "asks for the date"),
        (
            "{% for i in range(9999) %}{% for j in range(9999) %}{% set x = i %}{% endfor %}{% endfor %}",
            "fuel",
        ),
        ("{{ messages[0].content.nonsense() }}", "nonsense"),
    ];
    for (template, expected) in cases {
        let error = render(template, &talk()).expect_err(template);
        assert!(error.what.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_text_without_tokens_is_an_error() {
    let loaded = of_gguf(&gguf::of(&tiny(Family::Llama, true))).expect("sound");
    let error = loaded.tokens.encode("the X").expect_err("no capitals");
    assert!(
        error.what.contains("byte 0x58") && error.what.contains("at 4"),
        "{error}"
    );
    assert_eq!(loaded.tokens.encode("").expect("nothing"), [0u32; 0]);
    let error = loaded.tokens.decode(&[2, 4000]).expect_err("no such token");
    assert!(error.what.contains("no token 4000"), "{error}");
    assert_eq!(loaded.tokens.id_of("<|end|>"), Some(0));
    assert!(loaded.tokens.is_special(0) && !loaded.tokens.is_special(2));
    assert_eq!(loaded.tokens.vocabulary(), 46);
}

/// The same text, cut by each set of rules: digits alone, in threes, all together; what goes with a space.
#[test]
fn each_set_of_rules_cuts_as_its_models_do() {
    let cut = |pre: &str, words: &str| -> Vec<String> {
        let loaded = with("tokenizer.ggml.pre", pre).expect(pre);
        let ids = loaded.tokens.encode(words).expect("encoded");
        ids.iter()
            .map(|&id| loaded.tokens.decode(&[id]).expect("decoded"))
            .collect()
    };
    for pre in ["gpt-2", "smollm", "llama-bpe", "qwen2", "default"] {
        assert_eq!(cut(pre, "a the\nthe"), ["a", " the", "\n", "the"], "{pre}");
        // Special tokens are found before words are cut.
        assert_eq!(
            cut(pre, "the<|end|>the"),
            ["the", "<|end|>", "the"],
            "{pre}"
        );
        assert_eq!(cut(pre, "the<u>the"), ["the", "<u>", "the"], "{pre}");
    }
    // Only words of one piece can have the merge.
    let mut file = gguf::of(&tiny(Family::Llama, true));
    let mut tokens: Vec<String> = crate::tiny::tokens()
        .into_iter()
        .map(|(token, _)| token)
        .collect();
    tokens[44] = "12".into();
    tokens[43] = "123".into();
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    file.remove("tokenizer.ggml.token_type");
    file.set("tokenizer.ggml.tokens", gguf::texts(&words));
    file.set("tokenizer.ggml.merges", gguf::texts(&["1 2", "12 3"]));
    for (pre, count) in [("gpt-2", 2), ("smollm", 4), ("llama-bpe", 2), ("qwen2", 4)] {
        file.set("tokenizer.ggml.pre", text(pre));
        let loaded = of_gguf(&file).expect(pre);
        let ids = loaded.tokens.encode("1239").expect("encoded");
        assert_eq!(ids.len(), count, "{pre}: {ids:?}");
    }
}
