//! Runs somebody's command line.

use crate::answers::answer::Described;
use crate::console::voice::color;
use crate::console::{panics, terminal, typed};
use crate::pipeline::workers;
use crate::program::child;
use crate::program::completions::{self as scripts, Shell, script};
use crate::program::description::{Build, Program};
use crate::program::examples::Examples;
use crate::program::exit::{self, Exit};
use crate::program::formats::Formats;
use crate::program::manual::{self, Page};
use crate::program::verdicts::CompareVerdicts;
use crate::runner::call::{Call, NoVerbs, OwnVerbs};
use crate::runner::completing;
use crate::runner::grammar::{self, Cli, Verb};
use crate::verbs::cluster::{plan, work};
use crate::verbs::provenance::Beside;
use crate::verbs::transfer::Way;
use crate::verbs::versions::{compare, diff, variations};
use crate::verbs::{
    clean, completions, explain, gc, graph, man, provenance, rebuild, repeat, run, runs, schema,
    status, store, transfer, verify,
};
use clap::{Command, FromArgMatches};
use retrace::base::error::{Error, ErrorKind, Result};
use retrace::stage::kind::Kind;
use retrace::stage::publication::Publisher;
use retrace::stage::sources::Sources;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::process::ExitCode;

/// A whole command line for somebody's kinds of stages; `V` are the verbs that only this program has.
pub struct App<V = NoVerbs> {
    program: Program,
    about: &'static str,
    order: &'static [&'static str],
    beside: Option<Beside>,
    prepare: fn() -> Result<()>,
    thread_variables: &'static [&'static str],
    own: PhantomData<fn() -> V>,
}

impl App {
    /// A program of that name and version, its kinds of stages, and the sources that it was built from.
    pub fn new(
        name: &'static str,
        version: &'static str,
        kinds: fn() -> Vec<Box<dyn Kind>>,
        sources: Sources,
    ) -> Self {
        App {
            program: Program::new(name, version, kinds, sources),
            about: "",
            order: &[],
            beside: None,
            prepare: || Ok(()),
            thread_variables: &[],
            own: PhantomData,
        }
    }

    /// Adds verbs.
    pub fn verbs<V: OwnVerbs>(self) -> App<V> {
        App {
            program: self.program,
            about: self.about,
            order: self.order,
            beside: self.beside,
            prepare: self.prepare,
            thread_variables: self.thread_variables,
            own: PhantomData,
        }
    }
}

/// What a program may say of itself.
impl<V: OwnVerbs> App<V> {
    /// What the program is for, in one line.
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Who gives published files their provenance.
    pub fn publisher(mut self, publisher: impl Publisher + 'static) -> Self {
        self.program.publisher = Some(Box::new(publisher));
        self
    }

    /// What the program knows of the contents of files; [`crate::PlainFiles`] if it is not said.
    pub fn formats(mut self, formats: impl Formats + 'static) -> Self {
        self.program.formats = Box::new(formats);
        self
    }

    /// What tells, in seconds, whether this machine computes what others do: a machine that does not does no task of a
    /// plan.
    pub fn check(mut self, check: fn() -> Result<()>) -> Self {
        self.program.check = Some(check);
        self
    }

    /// How the program itself is built; with cargo if it is not said.
    pub fn build(mut self, build: Build) -> Self {
        self.program.build = build;
        self
    }

    /// What the help of the verbs ends with.
    pub fn examples(mut self, examples: Examples) -> Self {
        self.program.examples = examples;
        self
    }

    /// Exit codes of the program's own verbs.
    pub fn exits(mut self, exits: &'static [Exit]) -> Self {
        self.program.exits = exits;
        self
    }

    /// What the program's own verbs print with `--json`.
    pub fn answers(mut self, answers: &'static [&'static [Described]]) -> Self {
        self.program.own_answers = answers;
        self
    }

    /// The verbs that come first in help and manual; the others follow.
    pub fn order(mut self, verbs: &'static [&'static str]) -> Self {
        self.order = verbs;
        self
    }

    /// What `provenance` names beside a stage.
    pub fn beside(mut self, beside: Beside) -> Self {
        self.beside = Some(beside);
        self
    }

    /// What `compare` compares besides settings and tables.
    pub fn verdicts(mut self, compare: CompareVerdicts) -> Self {
        self.program.verdicts = Some(compare);
        self
    }

    /// What comes before every verb.
    pub fn prepare(mut self, prepare: fn() -> Result<()>) -> Self {
        self.prepare = prepare;
        self
    }

    /// Environment variables that tell libraries how many threads to start: more than can help are
    /// refused, as with `-j`.
    pub fn thread_variables(mut self, variables: &'static [&'static str]) -> Self {
        self.thread_variables = variables;
        self
    }
}

/// What the command line does, and what it is made of.
impl<V: OwnVerbs> App<V> {
    /// Runs the program: its `main`.
    pub fn run(&self) -> ExitCode {
        child::this_is_the_program();
        typed::speak_for(self.program.name);
        let arguments: Vec<OsString> = std::env::args_os().collect();
        if arguments.len() == 2 && arguments[1] == child::ARGUMENT {
            return child::act(&*self.program.formats);
        }
        if arguments
            .get(1)
            .is_some_and(|first| first == scripts::ARGUMENT)
        {
            panics::keep_quiet();
            let found = || completing::answer(&self.program, self.command(), &arguments[2..]);
            if let Ok(Some(lines)) = panics::caught(found) {
                terminal::print(&lines);
            }
            return ExitCode::SUCCESS;
        }
        let cli = match self.parse(&arguments) {
            Ok(cli) => cli,
            Err(error) => {
                terminal::set_color(color(&arguments));
                // Help and version are no errors but answers; clap knows which.
                if error.use_stderr() {
                    let _ = error.print();
                    return ExitCode::from(exit::USAGE);
                }
                terminal::print(&error.render().ansi().to_string());
                return ended(exit::OK);
            }
        };
        terminal::set(&cli.voice);
        panics::keep_quiet();
        match panics::caught(|| self.dispatch(&cli)).unwrap_or_else(|panic| Err(bug(&panic))) {
            Ok(code) => ended(code),
            Err(error) => {
                terminal::report(&error);
                ExitCode::from(exit::code(error.kind))
            }
        }
    }

    /// The command line as a value: what parses it, and what help is made from.
    pub fn command(&self) -> Command {
        grammar::command::<V>(&self.program, self.about, self.order)
    }

    /// The pages of the manual.
    ///
    /// # Errors
    /// A page cannot be written.
    pub fn manual(&self) -> Result<Vec<Page>> {
        manual::pages(&self.program, self.command())
    }

    /// The script that completes the command line in a shell.
    pub fn completions(&self, shell: Shell) -> String {
        script(self.program.name, shell)
    }

    /// The JSON Schema of pipeline.yaml, as it is printed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn schema(&self) -> Result<String> {
        schema::text(&self.program)
    }

    /// The JSON Schema of what a verb prints with `--json`, as it is printed.
    ///
    /// # Errors
    /// No answer has that name.
    pub fn answer_schema(&self, name: &str) -> Result<String> {
        schema::of_answer(&self.program, name)
    }

    /// What the verbs know of the program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    fn parse(&self, arguments: &[OsString]) -> std::result::Result<Cli<V>, clap::Error> {
        let mut command = self.command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    fn dispatch(&self, cli: &Cli<V>) -> Result<u8> {
        cli.scope.carry();
        (self.prepare)()?;
        for variable in self.thread_variables {
            workers::check_variable(variable)?;
        }
        if let Some(directory) = &cli.scope.directory {
            std::env::set_current_dir(directory).map_err(|e| Error {
                kind: ErrorKind::Config,
                ..Error::io("go to", directory, &e)
            })?;
        }
        let (program, scope) = (&self.program, &cli.scope);
        let call = Call { program, scope };
        match &cli.verb {
            Verb::Run(args) => run::run(program, scope, args),
            Verb::Status(args) => status::status(&call.session()?, args),
            Verb::Explain(args) => explain::explain(&call.session()?, args),
            Verb::Graph(args) => graph::graph(&call.session()?, args),
            Verb::Verify(args) if args.rebuild => rebuild::rebuild(&call.session()?, args),
            Verb::Verify(args) => verify::verify(&call.session()?, args),
            Verb::Repeat(args) => repeat::repeated(&call.session()?, args),
            Verb::Diff(args) => diff::diff(program, scope, args),
            Verb::Compare(args) => compare::compare(program, scope, args),
            Verb::Variations(args) => variations::variations(program, scope, args),
            Verb::Schema(args) => schema::schema(program, args),
            Verb::Runs(args) => runs::runs(&call.session()?, args),
            Verb::Gc(args) => gc::gc(&call.session()?, args),
            Verb::Clean(args) => clean::clean(&call.session()?, args),
            Verb::Push(args) => {
                transfer::transfer(&call.session()?, args, scope.paranoid, Way::Push)
            }
            Verb::Pull(args) => {
                transfer::transfer(&call.session()?, args, scope.paranoid, Way::Pull)
            }
            Verb::Store(command) => store::store(program, scope, command),
            Verb::Plan(command) => plan::plan(program, scope, command),
            Verb::Work(args) => work::work(program, scope, args),
            Verb::Provenance(args) => {
                provenance::provenance(program, scope, self.beside.as_ref(), args)
            }
            Verb::Completions(args) => completions::completions(program, args),
            Verb::Man(args) => man::man(program, self.command(), scope, args),
            Verb::Own(verb) => verb.run(&call),
        }
    }
}

/// The exit code of a verb that came to its end: its own, if its answer went out.
fn ended(code: u8) -> ExitCode {
    match terminal::unwritten() {
        None => ExitCode::from(code),
        Some(error) => {
            terminal::report(&error);
            ExitCode::from(exit::code(error.kind))
        }
    }
}

fn bug(panic: &str) -> Error {
    let error = Error::failed(format!("this program has a bug: {panic}"));
    error.hint("please report it with what you typed; RUST_BACKTRACE=1 shows where it is")
}
