//! The program `icl-repro`: hands the command line over, turns the outcome into an exit code.

fn main() -> std::process::ExitCode {
    icl_repro::app::app().run()
}
