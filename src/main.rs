//! The program `icl-repro`: hands the command line over, turns the outcome into an exit code.

fn main() -> std::process::ExitCode {
    // What stands beside a running command is this program, started again.
    command::act_if_asked().unwrap_or_else(|| icl_repro::app::app().run())
}
