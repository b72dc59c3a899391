// Package folder is a folder that the configuration extends.
package folder
