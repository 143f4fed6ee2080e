//! Random programs whose every step is known to the model.

use super::random::Random;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Text(String),
    Store(String, u64),
    /// Prints `key=value`.
    Load(String),
    Notify(String),
    /// Prints what the tool answered, or, when it catches, why it failed.
    Ask {
        catches: bool,
        /// Calls `yield_control()` first. Only here, where nothing is printed between it and the call: what an observer
        /// that it wakes is given then does not depend on when it wakes.
        yields: bool,
    },
    Throw,
    Exit,
}

#[derive(Clone, Debug)]
pub(super) struct Program(pub(super) Vec<Step>);

const KEYS: [&str; 3] = ["a", "b", "c"];

impl Program {
    pub(super) fn random(random: &mut Random) -> Self {
        let key = |random: &mut Random| (*random.pick(&KEYS).expect("there are keys")).to_owned();
        let steps = (0..random.below(8)).map(|n| match random.below(14) {
            0..=3 => Step::Text(format!("text {n} ü")),
            4..=5 => Step::Store(key(random), random.next() % 1000),
            6..=7 => Step::Load(key(random)),
            8 => Step::Notify(format!("note {n}")),
            9..=12 => Step::Ask { catches: random.chance(70), yields: random.chance(20) },
            _ if random.chance(50) => Step::Throw,
            _ => Step::Exit,
        });
        Self(steps.collect())
    }

    /// Prints what every key holds.
    pub(super) fn that_loads_all() -> Self {
        Self(KEYS.iter().map(|key| Step::Load((*key).to_owned())).collect())
    }

    pub(super) fn source(&self) -> String {
        let mut source = String::from("let answer;\n");
        for step in &self.0 {
            source += &match step {
                Step::Text(text) => format!("text('{text}');\n"),
                Step::Store(key, value) => format!("store('{key}', {value});\n"),
                Step::Load(key) => format!("text('{key}=' + load('{key}'));\n"),
                Step::Notify(text) => format!("notify('{text}');\n"),
                Step::Ask { catches, yields } => {
                    let yields = if *yields { "yield_control(); " } else { "" };
                    let ask = "text('got ' + await tools.ask());";
                    if *catches {
                        format!("{yields}try {{ {ask} }} catch (e) {{ text('caught ' + e.code) }}\n")
                    } else {
                        format!("{yields}{ask}\n")
                    }
                }
                Step::Throw => "throw new Error('thrown');\n".to_owned(),
                Step::Exit => "exit();\n".to_owned(),
            };
        }
        source
    }
}
