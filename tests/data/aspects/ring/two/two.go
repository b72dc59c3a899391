// Package two is imported by package one, and imports it back.
package two
