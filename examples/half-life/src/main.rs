//! The program `half-life`.

fn main() -> std::process::ExitCode {
    half_life::app().run()
}
