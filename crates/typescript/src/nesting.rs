//! How deep a source can be nested at most, found without parsing it.
//!
//! The parser and the visitors recurse, and a stack that overflows takes the process with it. So before anything is
//! parsed its bytes are read once, for a bound that no parser's tree exceeds: each level of a tree costs at least one
//! token, so the tokens that are open at a place (brackets that are not closed yet, and in each of them what was
//! written since the last `;` or `,`) bound the levels there. What ends a bracket, a statement or an element counts
//! only when it is code beyond doubt: from the first `/` on that may or may not begin a regular expression that matters,
//! nothing is closed any more.
//!
//! The second bound is on time. Where TypeScript cannot tell a comparison from type arguments, or an arrow function
//! from a conditional, its parser tries one and goes back; nested, that costs the square of the depth.

/// The bounds of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nesting {
    /// The most levels of a tree of it.
    pub(crate) levels: u32,
    /// How many guesses can be within each other.
    pub(crate) guesses: u32,
}

/// An open bracket, and what stands in it since its last `;`.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    /// What closes it. A `}` of `$` closes the hole of a template.
    kind: u8,
    /// The levels and guesses of the groups around it.
    below: Nesting,
    /// Tokens since the last comma, and the most there were between two commas.
    tokens: u32,
    most: u32,
    /// Every `<` since the last `;`: the commas of type arguments end nothing.
    angles: u32,
    /// Those with no `>` yet.
    open_angles: u32,
    /// `?` of conditionals.
    questions: u32,
    /// Whether it is the head of an `if`, `for`, `while` or `with`: behind it a statement begins.
    head: bool,
}

impl Group {
    fn nesting(&self) -> Nesting {
        Nesting {
            levels: self.below.levels + self.tokens + self.most + self.angles + 1,
            guesses: self.below.guesses + 2 * self.open_angles + self.questions,
        }
    }
}

/// What the last token was, for what a `/` behind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// An operator or an opening bracket: an expression follows.
    Operator,
    /// The end of an expression.
    Value,
    /// Either.
    Unknown,
}

/// Words behind which an expression may begin.
const BEFORE_EXPRESSION: [&str; 22] = [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "instanceof",
    "new",
    "delete",
    "void",
    "throw",
    "do",
    "else",
    "yield",
    "await",
    "as",
    "satisfies",
    "extends",
    "keyof",
    "default",
    "is",
    "asserts",
    "infer",
];

struct Scan<'s> {
    bytes: &'s [u8],
    at: usize,
    groups: Vec<Group>,
    group: Group,
    last: Last,
    last_word_is_head: bool,
    /// Whether a line began behind what can end a statement.
    may_begin: bool,
    /// Whether what follows may not be code: nothing is closed any more.
    unsure: bool,
    most: Nesting,
    elses: u32,
}

/// Bounds the nesting of a source.
pub(crate) fn bound(source: &str) -> Nesting {
    let mut scan = Scan {
        bytes: source.as_bytes(),
        at: 0,
        groups: Vec::new(),
        group: Group::default(),
        last: Last::Operator,
        last_word_is_head: false,
        may_begin: false,
        unsure: false,
        most: Nesting::default(),
        elses: 0,
    };
    while let Some(byte) = scan.bytes.get(scan.at).copied() {
        scan.token(byte);
    }
    Nesting { levels: scan.most.levels + scan.elses, guesses: scan.most.guesses }
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn count(&mut self) {
        self.may_begin = false;
        self.group.tokens += 1;
        self.note();
    }

    fn note(&mut self) {
        let here = self.group.nesting();
        self.most.levels = self.most.levels.max(here.levels);
        self.most.guesses = self.most.guesses.max(here.guesses);
    }

    fn token(&mut self, byte: u8) {
        match byte {
            b' ' | b'\t' | 0x0b | 0x0c => self.at += 1,
            // Behind a line break an expression may begin where the statement before it had no semicolon.
            b'\n' | b'\r' => {
                let before = if self.at == 0 { 0 } else { self.bytes.get(self.at - 1).copied().unwrap_or(0) };
                self.may_begin |= self.last == Last::Value || before == b'}';
                self.at += 1;
                if self.last == Last::Value {
                    self.last = Last::Unknown;
                }
            }
            b'"' | b'\'' => self.string(byte),
            b'`' => {
                self.count();
                self.at += 1;
                self.template();
            }
            b'/' => self.slash(),
            b'(' | b'[' | b'{' => self.open(byte),
            b')' | b']' | b'}' => self.close(byte),
            b';' | b',' => self.separate(byte),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'\\' | b'#' | b'@' | 0x80.. => {
                self.word();
            }
            _ => self.operator(byte),
        }
    }

    fn word(&mut self) {
        let start = self.at;
        while matches!(self.peek(0), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'\\' | b'#' | b'@' | 0x80..)
        {
            self.at += 1;
        }
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        if self.may_begin && !self.unsure && [&b"const"[..], b"let", b"var"].contains(&word) {
            // No expression goes on with these, so the one before has ended without a semicolon.
            self.group.most = self.group.most.max(self.group.tokens);
            (self.group.tokens, self.group.questions, self.group.open_angles) = (0, 0, 0);
        }
        self.count();
        // Spaces, line and paragraph separators among the bytes that are no ASCII can hide more words.
        let odd = word.iter().filter(|byte| matches!(byte, b'\\' | b'@' | 0x80..)).count() as u32;
        self.group.tokens += odd;
        self.note();
        let is = |words: &[&str]| words.iter().any(|known| known.as_bytes() == word);
        if is(&["else"]) || odd > 0 && word.windows(4).any(|four| four == b"else") {
            // An `else` goes on with a statement that seemed to have ended.
            self.elses += 1;
        }
        self.last_word_is_head = odd > 0 || is(&["if", "for", "while", "with", "await"]);
        self.last = if odd > 0 || is(&BEFORE_EXPRESSION) { Last::Unknown } else { Last::Value };
    }

    fn string(&mut self, quote: u8) {
        self.count();
        self.at += 1;
        loop {
            match self.peek(0) {
                b'\\' => self.at += if self.peek(1) == b'\r' && self.peek(2) == b'\n' { 3 } else { 2 },
                byte if byte == quote => {
                    self.at += 1;
                    break;
                }
                b'\n' | b'\r' => break,
                _ if self.at >= self.bytes.len() => break,
                _ => self.at += 1,
            }
        }
        self.last = Last::Value;
    }

    /// Goes on in a template, behind its backtick or behind the end of a hole.
    fn template(&mut self) {
        loop {
            match self.peek(0) {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    break;
                }
                b'$' if self.peek(1) == b'{' => {
                    self.at += 1;
                    self.open(b'$');
                    return;
                }
                _ if self.at >= self.bytes.len() => break,
                _ => self.at += 1,
            }
        }
        self.last = Last::Value;
    }

    fn slash(&mut self) {
        match self.peek(1) {
            b'/' if !self.unsure => self.skip_to(|_, byte| matches!(byte, b'\n' | b'\r')),
            b'*' if !self.unsure => {
                self.at += 2;
                self.skip_to(|next, byte| byte == b'*' && next == b'/');
                self.at = (self.at + 2).min(self.bytes.len());
            }
            _ if self.unsure || self.last == Last::Value => self.operator(b'/'),
            _ if self.last == Last::Operator => self.regular_expression(),
            _ => {
                // A regular expression ends in its line: where no other slash follows, this one divides.
                let line = self.bytes.get(self.at + 1..).unwrap_or_default();
                let line = line.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r'));
                self.unsure = line.copied().any(|byte| byte == b'/');
                self.operator(b'/');
            }
        }
    }

    fn skip_to(&mut self, found: impl Fn(u8, u8) -> bool) {
        while self.at < self.bytes.len() && !found(self.peek(1), self.peek(0)) {
            // A line or paragraph separator ends a comment of one line, too.
            if self.peek(0) == 0xe2 && self.peek(1) == 0x80 && matches!(self.peek(2), 0xa8 | 0xa9) {
                self.last = Last::Unknown;
                if found(0, b'\n') {
                    return;
                }
            }
            self.at += 1;
        }
    }

    fn regular_expression(&mut self) {
        self.count();
        self.at += 1;
        let mut in_class = false;
        while self.at < self.bytes.len() {
            match self.peek(0) {
                b'\\' => self.at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => break,
                b'\n' | b'\r' => return,
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
        self.last = Last::Value;
    }

    fn open(&mut self, byte: u8) {
        self.at += 1;
        self.count();
        let head = byte == b'(' && self.last_word_is_head;
        let inner = Group { kind: byte, below: self.group.nesting(), head, ..Group::default() };
        self.groups.push(std::mem::replace(&mut self.group, inner));
        self.note();
        self.last = Last::Operator;
        self.last_word_is_head = false;
    }

    fn close(&mut self, byte: u8) {
        self.at += 1;
        let fits = matches!((self.group.kind, byte), (b'(', b')') | (b'[', b']') | (b'{' | b'$', b'}'));
        // A bracket that closes nothing is the end of what can be parsed.
        if self.unsure || !fits {
            return self.count();
        }
        let closed = std::mem::replace(&mut self.group, self.groups.pop().unwrap_or_default());
        self.last = match closed.kind {
            b'(' if !closed.head => Last::Value,
            b'[' => Last::Value,
            _ => Last::Unknown,
        };
        self.last_word_is_head = false;
        if closed.kind == b'$' {
            self.template();
        }
    }

    fn separate(&mut self, byte: u8) {
        self.at += 1;
        self.last = Last::Operator;
        if self.unsure {
            return self.count();
        }
        let group = &mut self.group;
        if byte == b',' {
            // A list may be the end of nested statements, and no list is in another without a bracket.
            group.most = group.most.max(group.tokens);
        } else {
            (group.most, group.angles, group.open_angles) = (0, 0, 0);
        }
        (group.tokens, group.questions) = (0, 0);
        self.count();
    }

    fn operator(&mut self, byte: u8) {
        let before = if self.at == 0 { 0 } else { self.bytes.get(self.at - 1).copied().unwrap_or(0) };
        self.at += 1;
        let after = self.peek(0);
        match byte {
            b'<' => {
                // A comment of old, which a parser may skip, whatever it closes.
                self.unsure |= self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"!--"));
                self.group.angles += 1;
                self.group.open_angles += 1;
            }
            b'>' if before != b'=' => self.group.open_angles = self.group.open_angles.saturating_sub(1),
            b'?' if !matches!(after, b'.' | b'?' | b':' | b')' | b',') && before != b'?' => {
                self.group.questions += 1;
            }
            _ => {}
        }
        self.count();
        // `a! / b`, `a++ / b` and `A<B> / c` divide.
        self.last = match byte {
            b'!' => Last::Unknown,
            b'>' if before != b'=' => Last::Unknown,
            b'+' | b'-' if before == byte => Last::Unknown,
            _ => Last::Operator,
        };
        self.last_word_is_head = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(source: &str) -> u32 {
        bound(source).levels
    }

    #[test]
    fn what_is_closed_counts_no_more() {
        let line = "const a: Map<string, number> = f(x.y, [1, 2, {b: 3}]); // it's\n";
        assert!(levels(&line.repeat(1000)) < 60);
        let method = "m(a: string): string { return `a${ x / 2 } ${ '}' }` + /[/'\"]/.source; }\n";
        assert!(levels(&method.repeat(10)) < 130, "{}", levels(&method.repeat(10)));
    }

    #[test]
    fn brackets_in_text_close_nothing() {
        for text in
            ["\")\"", "'\\')'", "`)`", "/)/", "/* ) */", "// )\n", "/[/)]/", "`${')'}`", "x\n/)/", "if(1)/)/"]
        {
            let source = format!("f({text},").repeat(100);
            assert!(levels(&source) >= 100, "{text}: {}", levels(&source));
        }
    }

    #[test]
    fn every_nesting_is_counted() {
        for part in [
            "[",
            "(",
            "{",
            "!",
            "-",
            "a=>",
            "if(1)",
            "if(1);else ",
            "`${",
            "x?",
            "a**",
            "<",
            "a<b,",
            "a.",
            "a()",
            "a[1]",
            "typeof ",
            "new ",
            "a:",
            "do ",
            "x as ",
            "a!",
            "for(;;)",
            "class A{a(){",
            "é ",
            "{a:{}}[",
        ] {
            assert!(levels(&part.repeat(500)) >= 500, "{part}: {}", levels(&part.repeat(500)));
        }
    }
}
