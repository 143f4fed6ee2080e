//! Which definitions get a name, and which stand where they are used.
//!
//! A definition has a name when it holds itself, or is used more than once and is longer than a name. Walks over
//! definitions are loops: a schema may chain ten thousand of them.

use super::doc::Doc;
use super::node::{Node, Rest, Type};
use super::read::Part;

/// How deep types stand within each other before a definition is named instead of put in place.
const MAX_DEPTH: usize = 32;
/// The most primitive types in a definition that stands wherever it is used.
const MAX_SHORT: usize = 3;

/// Puts definitions where they are used, but for those that need a name; returns all, and which are left.
pub(super) fn settle(mut parts: Vec<Part>) -> Vec<Part> {
    cut_circles(&mut parts);
    skip_aliases(&mut parts);
    let (order, cyclic) = order(&parts, |node, found| node.parts(true, found));
    let mut circular = vec![false; parts.len()];
    for at in cyclic {
        if let Some(is) = circular.get_mut(at) {
            *is = true;
        }
    }
    let mut uses = vec![0_usize; parts.len()];
    if let Some(root) = uses.first_mut() {
        *root = 1;
    }
    for part in &parts {
        part.node.parts(true, &mut |at| {
            if let Some(count) = uses.get_mut(at) {
                *count += 1;
            }
        });
    }
    // Those that refer to nothing come first, so what is put in place is settled itself.
    let all: Vec<usize> = (0..parts.len()).collect();
    let rest = all.into_iter().filter(|at| circular.get(*at) == Some(&true));
    let order: Vec<usize> = order.into_iter().chain(rest).collect();
    let mut inline: Vec<Option<Node>> = vec![None; parts.len()];
    for at in order {
        let Some(part) = parts.get_mut(at) else { continue };
        let mut node = std::mem::take(&mut part.node);
        node.put_in_place(&mut inline, &uses);
        let once = uses.get(at) == Some(&1) && at != 0;
        let is_free = circular.get(at) == Some(&false) && node.depth() < MAX_DEPTH;
        if let Some(slot) = inline.get_mut(at).filter(|_| is_free && (once || node.is_short())) {
            *slot = Some(node.clone());
        }
        part.node = node;
    }
    parts
}

/// Returns the definitions that hold no circle, each after those it refers to, and those in circles.
fn order(parts: &[Part], edges: impl Fn(&Node, &mut dyn FnMut(usize))) -> (Vec<usize>, Vec<usize>) {
    let mut to: Vec<Vec<usize>> = Vec::with_capacity(parts.len());
    let mut from: Vec<Vec<usize>> = vec![Vec::new(); parts.len()];
    for (at, part) in parts.iter().enumerate() {
        let mut found = Vec::new();
        edges(&part.node, &mut |other| found.push(other));
        found.sort_unstable();
        found.dedup();
        for other in &found {
            if let Some(from) = from.get_mut(*other) {
                from.push(at);
            }
        }
        to.push(found);
    }
    let (sinks, mut gone) = peel(&to, &from, vec![false; parts.len()]);
    // What only leads to a circle is in none.
    let (sources, all_gone) = peel(&from, &to, gone.clone());
    gone = all_gone;
    let cyclic = gone.iter().enumerate().filter(|(_, gone)| !**gone).map(|(at, _)| at).collect();
    (sinks.into_iter().chain(sources.into_iter().rev()).collect(), cyclic)
}

/// Takes away, one after the other, what leads to nothing that is left.
fn peel(to: &[Vec<usize>], from: &[Vec<usize>], mut gone: Vec<bool>) -> (Vec<usize>, Vec<bool>) {
    let is_gone = |gone: &[bool], at: usize| gone.get(at).copied().unwrap_or(true);
    let mut left: Vec<usize> =
        to.iter().map(|to| to.iter().filter(|at| !is_gone(&gone, **at)).count()).collect();
    let mut ready: Vec<usize> = left
        .iter()
        .enumerate()
        .filter(|(at, left)| **left == 0 && !is_gone(&gone, *at))
        .map(|(at, _)| at)
        .collect();
    ready.reverse();
    let mut order = Vec::new();
    while let Some(at) = ready.pop() {
        if let Some(gone) = gone.get_mut(at) {
            *gone = true;
        }
        order.push(at);
        for user in from.get(at).into_iter().flatten() {
            if let Some(left) = left.get_mut(*user) {
                *left = left.saturating_sub(1);
                if *left == 0 && !is_gone(&gone, *user) {
                    ready.push(*user);
                }
            }
        }
    }
    (order, gone)
}

/// `type A = A | string` says nothing of A but string: a circle with no object or array on the way is cut.
fn cut_circles(parts: &mut [Part]) {
    let (_, circular) = order(parts, |node, found| node.parts(false, found));
    let within: Vec<bool> = (0..parts.len()).map(|at| circular.binary_search(&at).is_ok()).collect();
    for at in circular {
        if let Some(part) = parts.get_mut(at) {
            part.node.cut(at, &within);
        }
    }
}

/// A definition that is another one by a second name is that one.
fn skip_aliases(parts: &mut [Part]) {
    let mut aliases: Vec<Option<(usize, Doc)>> = vec![None; parts.len()];
    for start in 0..parts.len() {
        // Follows the aliases from here up to what is none, or known: circles of them are cut already.
        let mut way = Vec::new();
        let mut at = start;
        while let (Some(None), Some(Node { ty: Type::Part(to), .. })) =
            (aliases.get(at), parts.get(at).map(|part| &part.node))
        {
            way.push(at);
            at = *to;
            if way.len() > parts.len() {
                break;
            }
        }
        let mut end = aliases.get(at).cloned().flatten().unwrap_or((at, Doc::default()));
        for at in way.into_iter().rev() {
            let doc = parts.get(at).map(|part| part.node.doc.clone()).unwrap_or_default();
            end = (end.0, doc.and(end.1));
            if let Some(alias) = aliases.get_mut(at) {
                *alias = Some(end.clone());
            }
        }
    }
    for part in parts {
        part.node.skip(&aliases);
    }
}

impl Node {
    fn skip(&mut self, aliases: &[Option<(usize, Doc)>]) {
        if let Type::Part(at) = self.ty
            && let Some(Some((to, doc))) = aliases.get(at)
        {
            self.ty = Type::Part(*to);
            self.doc = std::mem::take(&mut self.doc).and(doc.clone());
        }
        self.children_mut(&mut |child| child.skip(aliases));
    }

    /// Finds the definitions that are referred to; those within objects and arrays only when `deep`.
    pub(super) fn parts(&self, deep: bool, found: &mut dyn FnMut(usize)) {
        match &self.ty {
            Type::Part(at) => found(*at),
            Type::Union(members) | Type::Both(members) => {
                members.iter().for_each(|member| member.parts(deep, found));
            }
            _ if deep => self.children(&mut |child| child.parts(deep, found)),
            _ => {}
        }
    }

    fn children<'a>(&'a self, each: &mut dyn FnMut(&'a Self)) {
        match &self.ty {
            Type::Array(item) => each(item),
            Type::Tuple(tuple) => tuple.items.iter().chain(tuple.rest.as_deref()).for_each(each),
            Type::Object(object) => {
                object.properties.iter().for_each(|property| each(&property.node));
                if let Rest::Each(rest) = &object.rest {
                    each(rest);
                }
            }
            Type::Union(members) | Type::Both(members) => members.iter().for_each(each),
            _ => {}
        }
    }

    fn children_mut(&mut self, each: &mut dyn FnMut(&mut Self)) {
        match &mut self.ty {
            Type::Array(item) => each(item),
            Type::Tuple(tuple) => tuple.items.iter_mut().chain(tuple.rest.as_deref_mut()).for_each(each),
            Type::Object(object) => {
                object.properties.iter_mut().for_each(|property| each(&mut property.node));
                if let Rest::Each(rest) = &mut object.rest {
                    each(rest);
                }
            }
            Type::Union(members) | Type::Both(members) => members.iter_mut().for_each(each),
            _ => {}
        }
    }

    /// Cuts references to definitions in a circle: one to itself adds nothing, another may be anything.
    fn cut(&mut self, own: usize, within: &[bool]) {
        match &mut self.ty {
            Type::Part(at) if within.get(*at) == Some(&true) => self.ty = Type::Anything,
            Type::Union(members) | Type::Both(members) => {
                members.retain(|member| member.ty != Type::Part(own));
                members.iter_mut().for_each(|member| member.cut(own, within));
                self.meet_members();
            }
            _ => {}
        }
    }

    /// Brings a union or an intersection whose members changed to its usual form.
    fn meet_members(&mut self) {
        let met = match &mut self.ty {
            Type::Union(members) => Self::union(std::mem::take(members)),
            Type::Both(members) => std::mem::take(members).into_iter().fold(Self::default(), Self::meet),
            _ => return,
        };
        self.ty = met.ty;
        self.doc = std::mem::take(&mut self.doc).and(met.doc);
    }

    fn put_in_place(&mut self, inline: &mut [Option<Self>], uses: &[usize]) {
        if let Type::Part(at) = self.ty {
            let Some(slot) = inline.get_mut(at) else { return };
            let found = if uses.get(at) == Some(&1) { slot.take() } else { slot.clone() };
            if let Some(Self { ty, doc }) = found {
                self.ty = ty;
                self.doc = std::mem::take(&mut self.doc).and(doc);
            }
            return;
        }
        self.children_mut(&mut |child| child.put_in_place(inline, uses));
        self.meet_members();
    }

    fn depth(&self) -> usize {
        let mut depth = 0;
        self.children(&mut |child| depth = depth.max(1 + child.depth()));
        depth
    }

    fn is_short(&self) -> bool {
        fn weigh(node: &Node) -> usize {
            match &node.ty {
                Type::Array(item) => weigh(item),
                Type::Literal(literal) => 1 + literal.text.len() / 12,
                Type::Union(members) => members.iter().map(weigh).sum(),
                Type::Anything
                | Type::Given
                | Type::Nothing
                | Type::Null
                | Type::Boolean
                | Type::Number
                | Type::String => 1,
                Type::Tuple(_) | Type::Object(_) | Type::Both(_) | Type::Part(_) => MAX_SHORT + 1,
            }
        }
        weigh(self) <= MAX_SHORT
    }
}
