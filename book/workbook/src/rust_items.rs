//! The items of a Rust file by name, with the lines they take.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Result;
use proc_macro2::Span;
use syn::spanned::Spanned;

use crate::source::Line;

/// An item: what it may be called, and where it stands.
#[derive(Debug)]
pub(crate) struct Item {
    /// The first is the one that messages use.
    pub(crate) names: Vec<String>,
    /// All its lines, comments and attributes included.
    pub(crate) range: Range<usize>,
    /// From `fn`, `impl` or `trait` to the opening brace, for what has a body.
    pub(crate) signature: Option<Range<usize>>,
    /// Carries an attribute that ends in `test`.
    pub(crate) is_test: bool,
    /// Not inside another item.
    pub(crate) top_level: bool,
}

impl Item {
    /// What stands in no other item and is never folded.
    pub(crate) fn outermost(names: Vec<String>, range: Range<usize>) -> Self {
        Self { names, range, signature: None, is_test: false, top_level: true }
    }
}

/// Every named item of a file, outer ones before the ones inside them.
pub(crate) fn items(
    text: &str,
    lines: &[Line],
    index: &BTreeMap<usize, usize>,
) -> Result<Vec<Item>> {
    let file = syn::parse_file(text).map_err(|error| {
        let start = error.span().start();
        anyhow::anyhow!("line {}: {error}", start.line)
    })?;
    let mut walk = Walk { lines, index, found: Vec::new() };
    walk.header();
    for item in &file.items {
        walk.item(item, "");
    }
    Ok(walk.found)
}

struct Walk<'a> {
    lines: &'a [Line],
    index: &'a BTreeMap<usize, usize>,
    found: Vec<Item>,
}

impl Walk<'_> {
    fn header(&mut self) {
        let end =
            self.lines.iter().take_while(|line| line.text.starts_with("//!")).count();
        if end > 0 {
            self.found.push(Item {
                names: vec!["header".into()],
                range: 0..end,
                signature: None,
                is_test: false,
                top_level: true,
            });
        }
    }

    /// The lines of a span, with the plain comments that stand right above it.
    fn lines_of(&self, span: Span) -> Range<usize> {
        let Range { mut start, end } = self.bare(span);
        let comment = |text: &str| {
            let text = text.trim_start();
            text.starts_with("//") && !text.starts_with("//!")
        };
        while start > 0 && comment(&self.lines[start - 1].text) {
            start -= 1;
        }
        start..end
    }

    fn bare(&self, span: Span) -> Range<usize> {
        let at = |number: usize| {
            self.index.range(number..).next().map_or(self.lines.len(), |(_, &at)| at)
        };
        at(span.start().line)..at(span.end().line + 1)
    }

    fn push(&mut self, names: Vec<String>, span: Span, prefix: &str) {
        let (range, top_level) = (self.lines_of(span), prefix.is_empty());
        self.found.push(Item {
            names,
            range,
            signature: None,
            is_test: false,
            top_level,
        });
    }

    /// Says which lines of the item pushed last are its head.
    fn head(&mut self, first: Span, brace: Span) {
        let signature = self.bare(first).start..self.bare(brace).end;
        if let Some(item) = self.found.last_mut() {
            item.signature = Some(signature);
        }
    }

    fn item(&mut self, item: &syn::Item, prefix: &str) {
        let span = item.span();
        let mut named = |kind: &str, ident: &syn::Ident| {
            let names =
                vec![format!("{prefix}{ident}"), format!("{kind} {prefix}{ident}")];
            self.push(names, span, prefix);
        };
        match item {
            syn::Item::Fn(function) => {
                self.function(
                    &function.attrs,
                    &function.sig,
                    Some(&function.block),
                    span,
                    prefix,
                );
            }
            syn::Item::Struct(item) => named("struct", &item.ident),
            syn::Item::Enum(item) => named("enum", &item.ident),
            syn::Item::Union(item) => named("union", &item.ident),
            syn::Item::Const(item) => named("const", &item.ident),
            syn::Item::Static(item) => named("static", &item.ident),
            syn::Item::Type(item) => named("type", &item.ident),
            syn::Item::Use(_) => self.push(vec!["use".into()], span, prefix),
            syn::Item::Macro(item) => {
                if let Some(ident) = &item.ident {
                    named("macro_rules!", ident);
                }
            }
            syn::Item::Trait(item) => {
                named("trait", &item.ident);
                self.head(item.trait_token.span, item.brace_token.span.open());
                self.trait_items(item, prefix);
            }
            syn::Item::Impl(item) => self.impl_block(item, prefix),
            syn::Item::Mod(item) => self.module(item, prefix),
            _ => {}
        }
    }

    fn module(&mut self, item: &syn::ItemMod, prefix: &str) {
        let Some((_, items)) = &item.content else {
            let names = vec!["mod".into(), format!("mod {prefix}{}", item.ident)];
            return self.push(names, item.span(), prefix);
        };
        let name = format!("{prefix}{}", item.ident);
        self.push(vec![format!("mod {name}"), name.clone()], item.span(), prefix);
        for inner in items {
            self.item(inner, &format!("{name}::"));
        }
    }

    fn trait_items(&mut self, item: &syn::ItemTrait, prefix: &str) {
        let owner = format!("{prefix}{}::", item.ident);
        for inner in &item.items {
            if let syn::TraitItem::Fn(method) = inner {
                let body = method.default.as_ref();
                self.function(&method.attrs, &method.sig, body, method.span(), &owner);
            }
        }
    }

    fn impl_block(&mut self, item: &syn::ItemImpl, prefix: &str) {
        let owner = format!("{prefix}{}", type_name(&item.self_ty));
        let names = match implemented(item) {
            Some(path) => {
                let last =
                    path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
                let full: Vec<String> = path
                    .segments
                    .iter()
                    .map(|segment| segment.ident.to_string())
                    .collect();
                vec![
                    format!("impl {last} for {owner}"),
                    format!("impl {} for {owner}", full.join("::")),
                ]
            }
            None => vec![format!("impl {owner}")],
        };
        self.push(names, item.span(), prefix);
        self.head(item.impl_token.span, item.brace_token.span.open());
        let inside = format!("{owner}::");
        for inner in &item.items {
            match inner {
                syn::ImplItem::Fn(method) => {
                    let body = Some(&method.block);
                    self.function(
                        &method.attrs,
                        &method.sig,
                        body,
                        method.span(),
                        &inside,
                    );
                }
                syn::ImplItem::Const(item) => {
                    self.push(
                        vec![format!("{inside}{}", item.ident)],
                        item.span(),
                        &inside,
                    );
                }
                _ => {}
            }
        }
    }

    fn function(
        &mut self,
        attrs: &[syn::Attribute],
        sig: &syn::Signature,
        body: Option<&syn::Block>,
        span: Span,
        prefix: &str,
    ) {
        let name = format!("{prefix}{}", sig.ident);
        let is_test = attrs.iter().any(|attribute| {
            attribute.path().segments.last().is_some_and(|last| last.ident == "test")
        });
        let signature = body.map(|block| {
            self.bare(sig.span()).start..self.bare(block.brace_token.span.open()).end
        });
        let (range, top_level) = (self.lines_of(span), prefix.is_empty());
        let names = vec![name.clone(), format!("fn {name}")];
        self.found.push(Item { names, range, signature, is_test, top_level });
    }
}

fn implemented(item: &syn::ItemImpl) -> Option<&syn::Path> {
    item.trait_.as_ref().map(|(path, _)| path)
}

/// `Store` for `Store<T>` and `&Store`.
fn type_name(ty: &syn::Type) -> String {
    match ty {
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default(),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        _ => "_".into(),
    }
}
