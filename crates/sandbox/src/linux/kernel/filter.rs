//! The filter that decides in the kernel which calls are told: a search tree over their numbers.
//!
//! Most calls are not watched; they pass after seven comparisons at most, or by the table that newer kernels
//! make of a filter for numbers that always pass.

use super::calls::{UNKNOWN, WATCHED, When};
use super::seccomp::Instruction;
use libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W};
use std::mem::offset_of;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// Where the numbers of the other calling convention of x86-64 (x32) begin; no kernel counts so far.
const OTHER_CONVENTION: u32 = 0x4000_0000;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const TELL: u32 = libc::SECCOMP_RET_USER_NOTIF;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const NOT_THERE: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// The filter; with `network` sockets of all families are made unasked.
///
/// # Errors
/// The table has outgrown what a jump can span.
pub fn filter(network: bool) -> Result<Vec<Instruction>, String> {
    let mut blocks: Vec<(u32, Vec<Instruction>)> = WATCHED
        .iter()
        .filter(|watched| !(network && watched.number == libc::SYS_socket))
        .map(|watched| (watched.number, block(watched.when)))
        .chain(UNKNOWN.map(|number| (number, vec![end(NOT_THERE)])))
        .map(|(number, block)| (number as u32, block))
        .collect();
    blocks.sort_by_key(|(number, _)| *number);
    let mut program = vec![
        load(offset_of!(libc::seccomp_data, arch)),
        jump(BPF_JEQ, ARCHITECTURE, 1, 0),
        end(KILL),
        load(offset_of!(libc::seccomp_data, nr)),
        jump(BPF_JGE, OTHER_CONVENTION, 0, 1),
        end(NOT_THERE),
    ];
    program.extend(tree(&blocks)?);
    Ok(program)
}

fn tree(blocks: &[(u32, Vec<Instruction>)]) -> Result<Vec<Instruction>, String> {
    if blocks.len() <= 2 {
        let mut program = Vec::new();
        for (number, block) in blocks {
            program.push(jump(BPF_JEQ, *number, 0, span(block)?));
            program.extend(block);
        }
        program.push(end(ALLOW));
        return Ok(program);
    }
    let (low, high) = blocks.split_at(blocks.len() / 2);
    let first = tree(low)?;
    let mut program = vec![jump(BPF_JGE, high[0].0, span(&first)?, 0)];
    program.extend(first);
    program.extend(tree(high)?);
    Ok(program)
}

/// How far one must jump to get past `block`.
fn span(block: &[Instruction]) -> Result<u8, String> {
    u8::try_from(block.len()).map_err(|_| "the filter of watched calls is too long".into())
}

/// What happens to a watched call; a program that ends on every way.
fn block(when: When) -> Vec<Instruction> {
    let ends = |test, then, otherwise| vec![test, end(then), end(otherwise)];
    let with = |argument, mut rest: Vec<Instruction>| {
        rest.insert(0, low_word(argument));
        rest
    };
    match when {
        When::Always => vec![end(TELL)],
        When::UnlessEqual(argument, value) => {
            with(argument, ends(jump(BPF_JEQ, value, 0, 1), ALLOW, TELL))
        }
        When::UnlessSet(argument, bits) => {
            with(argument, ends(jump(BPF_JSET, bits, 0, 1), ALLOW, TELL))
        }
        When::UnlessOfDescriptor { flags } => vec![
            low_word(flags),
            jump(BPF_JSET, libc::AT_EMPTY_PATH as u32, 0, 2),
            low_word(0),
            jump(BPF_JEQ, libc::AT_FDCWD.cast_unsigned(), 0, 1),
            end(TELL),
            end(ALLOW),
        ],
    }
}

/// Of an argument's 64 bits the 32 that all arguments compared here have: both architectures are
/// little-endian.
fn low_word(argument: usize) -> Instruction {
    load(offset_of!(libc::seccomp_data, args) + 8 * argument)
}

fn load(offset: usize) -> Instruction {
    instruction(BPF_LD | BPF_W | BPF_ABS, offset as u32, 0, 0)
}

fn jump(test: u32, value: u32, if_so: u8, if_not: u8) -> Instruction {
    instruction(BPF_JMP | test | BPF_K, value, if_so, if_not)
}

fn end(verdict: u32) -> Instruction {
    instruction(BPF_RET | BPF_K, verdict, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> Instruction {
    let code = code as u16;
    Instruction { code, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel does with a filter, for the instructions that are used here.
    fn verdict(
        program: &[Instruction],
        architecture: u32,
        number: u32,
        arguments: [u64; 6],
    ) -> u32 {
        let (mut place, mut loaded) = (0, 0);
        loop {
            let Instruction { code, jt, jf, k } = program[place];
            place += 1;
            let goes = match u32::from(code) & 0xf0 {
                BPF_JEQ => loaded == k,
                BPF_JGE => loaded >= k,
                _ => loaded & k != 0,
            };
            match u32::from(code) & 0x07 {
                BPF_RET => return k,
                BPF_LD => {
                    loaded = match k {
                        0 => number,
                        4 => architecture,
                        offset => {
                            assert_eq!((offset - 16) % 8, 0);
                            arguments[(offset as usize - 16) / 8] as u32
                        }
                    }
                }
                _ => place += usize::from(if goes { jt } else { jf }),
            }
        }
    }

    #[test]
    fn every_number_gets_what_the_table_says() {
        for network in [false, true] {
            let program = filter(network).expect("it fits");
            for number in 0..1000_u32 {
                let found = WATCHED.iter().find(|w| w.number == i64::from(number));
                let expected = match found.map(|watched| watched.when) {
                    _ if UNKNOWN.contains(&i64::from(number)) => NOT_THERE,
                    None => ALLOW,
                    Some(When::UnlessEqual(..)) if network => ALLOW,
                    Some(_) => TELL,
                };
                let got = verdict(&program, ARCHITECTURE, number, [0; 6]);
                assert_eq!(got, expected, "call {number}, network {network}");
            }
            let open = libc::SYS_openat as u32;
            assert_eq!(verdict(&program, ARCHITECTURE ^ 1, open, [0; 6]), KILL);
            let other = verdict(&program, ARCHITECTURE, open | OTHER_CONVENTION, [0; 6]);
            assert_eq!(other, NOT_THERE);
        }
    }

    #[test]
    fn arguments_decide_where_the_table_says_so() {
        let program = filter(false).expect("it fits");
        let here = u64::from(libc::AT_FDCWD.cast_unsigned());
        let empty = libc::AT_EMPTY_PATH as u64;
        for (number, arguments, expected) in [
            (libc::SYS_newfstatat, [3, 1, 1, 0, 0, 0], TELL),
            (libc::SYS_newfstatat, [3, 1, 1, empty, 0, 0], ALLOW),
            (libc::SYS_newfstatat, [here, 1, 1, empty, 0, 0], TELL),
            (libc::SYS_statx, [3, 1, empty, 0, 0, 0], ALLOW),
            (libc::SYS_statx, [here, 1, empty, 0, 0, 0], TELL),
            (libc::SYS_socket, [1, 1, 0, 0, 0, 0], ALLOW),
            (libc::SYS_socket, [2, 2, 0, 0, 0, 0], TELL),
            (libc::SYS_clone, [0x3d_0f00, 0, 0, 0, 0, 0], ALLOW),
            (libc::SYS_clone, [17, 0, 0, 0, 0, 0], TELL),
        ] {
            let got = verdict(&program, ARCHITECTURE, number as u32, arguments);
            assert_eq!(got, expected, "call {number} {arguments:?}");
        }
    }
}
