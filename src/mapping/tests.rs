mod bounds;
mod conditions;
mod docs;
mod expressions;
mod fields;
mod mapping;
