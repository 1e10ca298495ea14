//! Tests over the installed class libraries.
