mod conditions;
mod expressions;
mod fields;
mod mapping;
