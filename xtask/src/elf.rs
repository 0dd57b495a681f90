//! What a shared library says of itself, of any processor: by `readelf`, which knows them all.

use std::collections::BTreeSet;
use std::path::Path;

use crate::command::{output, program};

/// A shared library for Linux or Android.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Elf {
    /// Its processor, in `readelf`'s words.
    pub machine: String,
    /// 32 or 64.
    pub bits: u32,
    /// Alignment of each part that is loaded.
    pub alignments: Vec<u64>,
    /// Libraries that it needs.
    pub needed: BTreeSet<String>,
    /// Names of its sections.
    pub sections: BTreeSet<String>,
    /// What it exports.
    pub exported: BTreeSet<String>,
}

/// Reads it.
pub fn read(library: &Path) -> Result<Elf, String> {
    let mut command = program("readelf");
    command.args([
        "--wide",
        "--file-header",
        "--program-headers",
        "--section-headers",
        "--dynamic",
        "--dyn-syms",
    ]);
    parse(&output(command.arg(library).env("LC_ALL", "C"))?)
        .ok_or_else(|| format!("{}: readelf does not say what it is", library.display()))
}

fn parse(said: &str) -> Option<Elf> {
    let mut elf = Elf::default();
    for line in said.lines().map(str::trim) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(machine) = line.strip_prefix("Machine:") {
            elf.machine = machine.trim().to_owned();
        } else if let Some(class) = line.strip_prefix("Class:") {
            elf.bits = class.trim().strip_prefix("ELF")?.parse().ok()?;
        } else if let (Some(&"LOAD"), Some(align)) = (words.first(), words.last()) {
            elf.alignments.push(u64::from_str_radix(align.strip_prefix("0x")?, 16).ok()?);
        } else if line.contains("(NEEDED)") {
            elf.needed.insert(line.split_once('[')?.1.trim_end_matches(']').to_owned());
        } else if let (true, Some((_, rest))) = (line.starts_with('['), line.split_once(']')) {
            elf.sections.extend(
                rest.split_whitespace().next().filter(|name| name.starts_with('.')).map(str::to_owned),
            );
        } else if let [number, _, _, _, "GLOBAL" | "WEAK", _, place, name, ..] = words.as_slice()
            && number.ends_with(':')
            && *place != "UND"
        {
            elf.exported.extend(name.split('@').next().map(str::to_owned));
        }
    }
    (elf.bits != 0 && !elf.machine.is_empty() && !elf.alignments.is_empty()).then_some(elf)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "
ELF Header:
  Class:                             ELF64
  Machine:                           AArch64
Section Headers:
  [Nr] Name              Type            Address          Off    Size   ES Flg Lk Inf Al
  [ 0]                   NULL            0000000000000000 000000 000000 00      0   0  0
  [11] .text             PROGBITS        000000000003c000 03c000 5d5c44 00  AX  0   0 64
Program Headers:
  Type           Offset   VirtAddr           PhysAddr           FileSiz  MemSiz   Flg Align
  LOAD           0x000000 0x0000000000000000 0x0000000000000000 0x1b7948 0x1b7948 R   0x4000
Dynamic section at offset 0x6ad000 contains 28 entries:
 0x0000000000000001 (NEEDED)             Shared library: [libc.so]
Symbol table '.dynsym' contains 4 entries:
   Num:    Value          Size Type    Bind   Vis      Ndx Name
     0: 0000000000000000     0 NOTYPE  LOCAL  DEFAULT  UND
     1: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND malloc@LIBC (2)
     2: 000000000003c000    12 FUNC    GLOBAL DEFAULT   11 uniffi_one
";

    #[test]
    fn what_readelf_says_is_read() {
        let one = |text: &str| BTreeSet::from([text.to_owned()]);
        let expected = Elf {
            machine: "AArch64".to_owned(),
            bits: 64,
            alignments: vec![0x4000],
            needed: one("libc.so"),
            sections: one(".text"),
            exported: one("uniffi_one"),
        };
        assert_eq!(parse(SAID), Some(expected));
        assert_eq!(parse("readelf: Error: Not an ELF file"), None);
    }
}
