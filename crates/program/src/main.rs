//! The program `retrace`.

fn main() -> std::process::ExitCode {
    retrace_program::app().run()
}
