//! Turns a [`crate::run::Run`] into files. Rendering never measures.
