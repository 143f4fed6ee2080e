//! Enums of words alone, which are written the same on both sides.

/// Writes both directions between an enum of the contract and the wire's. `else` stands for what the contract got later.
macro_rules! same {
    ($contract:ty, $wire:ty: $($name:ident)* $(; else $other:ident)?) => {
        impl From<$contract> for $wire {
            fn from(value: $contract) -> Self {
                match value {
                    $(<$contract>::$name => Self::$name,)*
                    $(_ => Self::$other,)?
                }
            }
        }

        impl From<$wire> for $contract {
            fn from(value: $wire) -> Self {
                match value {
                    $(<$wire>::$name => Self::$name,)*
                }
            }
        }
    };
}
pub(crate) use same;
