//! Which of a generated file's declarations an app sees, and how a snapshot writes them.

use std::collections::{BTreeMap, BTreeSet};

use super::declarations::{Declaration, read};

/// What an app sees of a generated Kotlin file, sorted.
pub fn kotlin(source: &str) -> String {
    let declarations = read(source);
    let types = type_names(&declarations);
    written(kotlin_entries(&declarations, &types))
}

/// What an app sees of a generated Swift file, sorted.
pub fn swift(source: &str) -> String {
    let declarations = read(source);
    let types = type_names(&declarations);
    // Conformances stand in extensions; they are as public as the type.
    let mut extensions: BTreeMap<&str, (Vec<&str>, Vec<Declaration>)> = BTreeMap::new();
    for extension in &declarations {
        let Some(extended) = extension.head.strip_prefix("extension ") else { continue };
        let (name, conforms) = extended.split_once(':').unwrap_or((extended, ""));
        let of = extensions.entry(name.trim()).or_default();
        of.0.extend(conforms.split(',').map(str::trim).filter(|name| !name.is_empty()));
        of.1.extend(extension.body.iter().cloned());
    }
    let mut whole: Vec<Declaration> = Vec::new();
    for declaration in &declarations {
        let mut declaration = declaration.clone();
        if let Some((conforms, members)) = name(&declaration.head).and_then(|name| extensions.get(name)) {
            for protocol in conforms {
                let separator = if declaration.head.contains(':') { ", " } else { ": " };
                declaration.head.push_str(separator);
                declaration.head.push_str(protocol);
            }
            declaration.body.extend(members.iter().cloned());
        }
        whole.push(declaration);
    }
    written(swift_entries(&whole, &types, false))
}

/// A line of a snapshot with what stands below it.
struct Entry {
    line: String,
    below: Vec<Entry>,
    /// Position to keep; everything else is sorted by its text.
    order: usize,
}

fn written(entries: Vec<Entry>) -> String {
    fn write(mut entries: Vec<Entry>, indent: &str, text: &mut String) {
        entries.sort_by(|a, b| (a.order, &a.line).cmp(&(b.order, &b.line)));
        for entry in entries {
            text.push_str(indent);
            text.push_str(&entry.line);
            text.push('\n');
            write(entry.below, &format!("{indent}    "), text);
        }
    }
    let mut text = String::new();
    write(entries, "", &mut text);
    text
}

fn kotlin_entries(declarations: &[Declaration], types: &BTreeSet<String>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut throws = None;
    for declaration in declarations {
        // An annotation stands on its own line, or before what it belongs to.
        let mut head = declaration.head.as_str();
        while let Some((annotation, rest)) = annotation(head) {
            throws =
                annotation.strip_prefix("@Throws(").and_then(|rest| rest.strip_suffix("::class)")).or(throws);
            head = rest;
        }
        if head.is_empty() {
            continue;
        }
        let thrown = throws.take();
        if head.starts_with("companion object") {
            entries.extend(
                kotlin_entries(&declaration.body, types)
                    .into_iter()
                    .map(|entry| Entry { line: format!("companion {}", entry.line), ..entry }),
            );
            continue;
        }
        let Some(name) = name(head) else { continue };
        // `inline` only in what the generator itself uses.
        let hidden = ["private", "internal", "protected", "inline"]
            .iter()
            .any(|word| has_word(before_arguments(head), word));
        if hidden || is_machinery(name, types) || ["message", "destroy", "close", "lift"].contains(&name) {
            continue;
        }
        let mut line = without_words(head, &["public", "override", "open"]).replace("kotlin.", "");
        if has_word(head, "fun") {
            line = line.split(") = ").next().map(str::to_owned).unwrap_or_default();
        }
        line = line
            .replace(" :", ":")
            .replace(" (", "(")
            .replace(": Disposable, AutoCloseable,", ": AutoCloseable,");
        line = line.strip_suffix(&format!(", {name}Interface")).map(str::to_owned).unwrap_or(line);
        if let Some(error) = thrown {
            line.push_str(&format!(" throws {error}"));
        }
        let mut below = Vec::new();
        let is_enum = has_word(head, "enum");
        if !has_word(head, "fun") && !has_word(head, "val") {
            below = kotlin_entries(
                if is_enum { declaration.body.get(1..).unwrap_or_default() } else { &declaration.body },
                types,
            );
        }
        if let (true, Some(variants)) = (is_enum, declaration.body.first()) {
            below.extend(variants.head.split(", ").map(|variant| Entry {
                line: variant.to_owned(),
                below: Vec::new(),
                order: 0,
            }));
        }
        entries.push(Entry { line, below, order: 0 });
    }
    entries
}

fn swift_entries(declarations: &[Declaration], types: &BTreeSet<String>, all_public: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    for declaration in declarations {
        let head = declaration.head.as_str();
        let public = has_word(before_arguments(head), "public") || has_word(before_arguments(head), "open");
        if head.starts_with('@') || !(public || all_public || head.starts_with("case ")) {
            continue;
        }
        let Some(name) = name(head) else { continue };
        let of_machinery = ["init(noHandle", "init(unsafeFromHandle"].iter().any(|made| head.contains(made));
        if of_machinery || is_machinery(name, types) {
            continue;
        }
        let line = without_words(head, &["public", "open"]);
        let line = line.replace(&format!(": {name}Protocol, @unchecked Sendable"), ": Sendable");
        let inner = has_word(head, "func") || has_word(head, "init") || has_word(head, "var");
        let below = if inner || head.contains("init(") {
            Vec::new()
        } else {
            swift_entries(&declaration.body, types, has_word(head, "protocol"))
        };
        entries.push(Entry { line, below, order: 0 });
    }
    entries
}

/// An annotation at the beginning, and what follows.
fn annotation(head: &str) -> Option<(&str, &str)> {
    let name = head.strip_prefix('@')?.split(|c: char| !c.is_alphanumeric()).next()?;
    let after = head.get(1 + name.len()..)?;
    let arguments = if after.starts_with('(') { after.find(')')? + 1 } else { 0 };
    let (annotation, rest) = head.split_at_checked(1 + name.len() + arguments)?;
    Some((annotation, rest.trim_start()))
}

/// The words before a name.
const KEYWORDS: &[&str] = &[
    "class",
    "interface",
    "object",
    "fun",
    "val",
    "var",
    "typealias",
    "struct",
    "enum",
    "protocol",
    "func",
    "let",
    "case",
    "init",
];

/// The name that a head declares.
fn name(head: &str) -> Option<&str> {
    let mut words = head.split([' ', '(', ':', '<', '?', '=']).filter(|word| !word.is_empty());
    let first = words.by_ref().find(|word| KEYWORDS.contains(word))?;
    if first == "init" {
        return Some(first);
    }
    words.find(|word| !KEYWORDS.contains(word))
}

fn type_names(declarations: &[Declaration]) -> BTreeSet<String> {
    let is_type = |head: &str| {
        ["class", "interface", "struct", "enum", "protocol"].iter().any(|word| has_word(head, word))
    };
    declarations
        .iter()
        .filter(|one| is_type(&one.head))
        .filter_map(|one| name(&one.head).map(str::to_owned))
        .collect()
}

/// What the generator needs for itself, and what repeats something else: the interface of an object beside the object,
/// the library's own side of a trait that apps implement.
fn is_machinery(name: &str, types: &BTreeSet<String>) -> bool {
    let repeats = |suffix: &str| name.strip_suffix(suffix).is_some_and(|other| types.contains(other));
    let prefixes =
        ["FfiConverter", "Uniffi", "uniffi", "RustBuffer", "ForeignBytes", "NoHandle", "IntegrityChecking"];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
        || ["Disposable", "InternalException"].contains(&name)
        || ["Interface", "Protocol", "Impl"].iter().any(|suffix| repeats(suffix))
}

fn before_arguments(head: &str) -> &str {
    head.split('(').next().unwrap_or_default()
}

fn has_word(text: &str, word: &str) -> bool {
    text.split([' ', '(', ':', '<']).any(|one| one == word)
}

fn without_words(head: &str, words: &[&str]) -> String {
    let mut rest = head;
    let mut kept = String::new();
    while let Some((word, others)) = rest.split_once(' ') {
        // Only before the name: an argument may be called like a modifier.
        if KEYWORDS.contains(&word) || word.contains('(') {
            break;
        }
        if !words.contains(&word) {
            kept.push_str(word);
            kept.push(' ');
        }
        rest = others;
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kotlin_shows_what_an_app_calls_and_hides_the_machinery() {
        let source = "
            public interface RegisterInterface {\n    suspend fun `sync`(): Report\n}\n
            open class Register: Disposable, AutoCloseable, RegisterInterface\n{\n
                constructor(noHandle: NoHandle) {\n    }\n    internal fun hidden() {}\n    override fun destroy() {}\n
                @Throws(RegisterException::class)\n    @Suppress(\"A\")\n    override suspend fun `sync`() : Report {\n return call()\n }\n
                @Throws(RegisterException::class)override fun `written`(): Int {\n }\n
                companion object {\n  @Throws(RegisterException::class)\n suspend fun `open`(`at`: kotlin.String) : Register {\n }\n }\n
            }\n
            enum class Kind {\n    FIRST,\n    SECOND;\n    companion object\n}\n
            public object FfiConverterTypeKind: FfiConverterRustBuffer<Kind> {\n}\n
            fun `version`(): kotlin.String {\n}\n";
        assert_eq!(
            kotlin(source),
            "class Register: AutoCloseable\n    companion suspend fun open(at: String): Register throws RegisterException\n    \
             fun written(): Int throws RegisterException\n    \
             suspend fun sync(): Report throws RegisterException\nenum class Kind\n    FIRST\n    SECOND\nfun version(): String\n"
        );
    }

    #[test]
    fn swift_shows_conformances_of_extensions_and_what_callers_write() {
        let source = "
            public protocol RegisterProtocol: AnyObject, Sendable {\n    func sync() async throws  -> Report\n}\n
            open class Register: RegisterProtocol, @unchecked Sendable {\n    public struct NoHandle {\n    }\n
                public init(noHandle: NoHandle) {\n    }\n    func hidden() {\n }\n
            open func sync()async throws  -> Report  {\n    return\n}\n}\n
            public struct Report: Equatable {\n    public let changed: UInt32\n    public init(\n changed: UInt32) {\n }\n}\n
            #if compiler(>=6)\nextension Report: Sendable {}\n#endif\n
            public protocol Vault: AnyObject {\n    func wrap(open: String) throws  -> Data\n}\n
            public func FfiConverterTypeReport_lift() {\n}\n
            public enum Kind {\n    case first\n    case second(at: Int64\n    )\n}\n";
        assert_eq!(
            swift(source),
            "class Register: Sendable\n    func sync() async throws -> Report\n\
             enum Kind\n    case first\n    case second(at: Int64)\nprotocol Vault: AnyObject\n    func wrap(open: String) throws -> Data\n\
             struct Report: Equatable, Sendable\n    init(changed: UInt32)\n    let changed: UInt32\n"
        );
    }
}
