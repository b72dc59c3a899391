// Package one is an integration that imports another.
package one
