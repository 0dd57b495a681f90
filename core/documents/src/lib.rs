//! Automerge documents of the register: sections, facts, commands, merge rules, signatures, the gate.
