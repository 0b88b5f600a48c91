fn main() -> std::process::ExitCode {
    if let Some(code) = sandbox::act_if_asked() {
        return code;
    }
    fn kinds() -> Vec<Box<dyn retrace::Kind>> {
        vec![Box::new(command::Command::default())]
    }
    const SOURCES: retrace::Sources = retrace::Sources {
        roots: &[],
        raw: &[],
        program: "",
    };
    retrace_cli::App::new("bare", "0", kinds, SOURCES).run()
}
