// Package process starts the programs that are measured as processes of their
// own, ends them whatever happens, and reads from the kernel what a process has
// used: CPU time and resident memory. Reading works on Linux; elsewhere it says
// so.
package process
