//! The program `retrace`.

fn main() -> std::process::ExitCode {
    // What stands beside a command that runs is this program, started again.
    if let Some(code) = command::act_if_asked() {
        return code;
    }
    retrace_program::app().run()
}
