mod bounds;
mod conditions;
mod contracts;
mod docs;
mod expressions;
mod fields;
mod mapping;
