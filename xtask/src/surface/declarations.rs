//! What a source file declares, without what it does.
//!
//! It reads what the binding generators write, in Kotlin and in Swift: both declare with a head, and a body in braces.
//! It is no parser of either language, and need not be one: a snapshot that it reads wrongly would differ at once.

use std::iter::Peekable;
use std::str::Chars;

/// A declaration, or a statement in a body that nobody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// On one line, without comments: `data class Child (val name: String)`.
    pub head: String,
    /// What its braces hold.
    pub body: Vec<Declaration>,
}

/// What a file declares, in its order.
pub fn read(source: &str) -> Vec<Declaration> {
    let text: String = without_comments(source)
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .fold(String::new(), |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        });
    block(&mut text.chars().peekable())
}

/// Reads until the brace that closes this block.
fn block(rest: &mut Peekable<Chars<'_>>) -> Vec<Declaration> {
    let mut found = Vec::new();
    let mut head = String::new();
    // Of round and square brackets: a line that ends inside them goes on.
    let mut depth = 0_u32;
    let mut finish = |head: &mut String, body: Vec<Declaration>| {
        let line = on_one_line(head);
        if !line.is_empty() {
            found.push(Declaration { head: line, body });
        }
        head.clear();
    };
    while let Some(c) = rest.next() {
        match c {
            '"' => string(rest, &mut head),
            '{' if depth > 0 => drop(block(rest)),
            '{' => finish(&mut head, block(rest)),
            '}' => break,
            '\n' | ';' if depth == 0 && !(c == '\n' && goes_on(&head, rest)) => finish(&mut head, Vec::new()),
            '`' => {}
            _ => {
                match c {
                    '(' | '[' => depth += 1,
                    ')' | ']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                head.push(c);
            }
        }
    }
    finish(&mut head, Vec::new());
    found
}

/// Whether the next line belongs to this one.
fn goes_on(head: &str, rest: &Peekable<Chars<'_>>) -> bool {
    let next = rest.clone().find(|c| !c.is_whitespace());
    head.trim_end().ends_with([',', ':', '=']) || next == Some('{')
}

fn string(rest: &mut Peekable<Chars<'_>>, head: &mut String) {
    head.push('"');
    while let Some(c) = rest.next() {
        head.push(c);
        match c {
            '"' => return,
            '\\' => head.extend(rest.next()),
            _ => {}
        }
    }
}

fn on_one_line(head: &str) -> String {
    let words: Vec<&str> = head.split_whitespace().collect();
    let line = words.join(" ").replace(" ,", ",").replace("( ", "(").replace(" )", ")");
    line.replace(")throws", ") throws").replace(")async", ") async").replace(",)", ")")
}

fn without_comments(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('"', _) => string(&mut rest, &mut text),
            ('/', Some('/')) => {
                let _ = rest.by_ref().find(|c| *c == '\n');
                text.push('\n');
            }
            ('/', Some('*')) => {
                let mut last = ' ';
                let _ = rest.by_ref().skip(1).find(|c| std::mem::replace(&mut last, *c) == '*' && *c == '/');
                text.push(' ');
            }
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(declarations: &[Declaration]) -> Vec<&str> {
        declarations.iter().map(|declaration| declaration.head.as_str()).collect()
    }

    #[test]
    fn heads_stand_on_one_line_and_bodies_apart() {
        let read = read(
            "/** A child: { not code } */\n\
             data class Child (\n    /** Its name. */\n    val `name`: String\n    , \n    val age: Int\n){\n\
             \x20   companion object\n}\n\
             sealed class State {\n    object Open : State()\n\n    data class Done(\n        val at: Long) : State()\n        \n    {\n    }\n}\n",
        );
        assert_eq!(heads(&read), ["data class Child (val name: String, val age: Int)", "sealed class State"]);
        assert_eq!(heads(&read[0].body), ["companion object"]);
        assert_eq!(
            heads(&read[1].body),
            ["object Open : State()", "data class Done(val at: Long) : State()"]
        );
    }

    #[test]
    fn braces_in_strings_comments_and_arguments_open_nothing() {
        let read = read(
            "#if swift(>=5.8)\nfunc one() throws { fail(\"}\\\"\") // }\n}\n#endif\nopen func two()throws  -> Int  {\n}\n\
             val three = call({ it })\nenum class Four {\n    A,\n    B;\n\n    fun five() {}\n}\n",
        );
        let expected =
            ["func one() throws", "open func two() throws -> Int", "val three = call()", "enum class Four"];
        assert_eq!(heads(&read), expected);
        assert_eq!(heads(&read[3].body), ["A, B", "fun five()"]);
    }
}
