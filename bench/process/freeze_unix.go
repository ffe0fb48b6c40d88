//go:build unix

package process

import "syscall"

// Freeze stops the process where it is: it keeps everything and does nothing, as
// on a machine that hangs. [Child.Thaw] lets it go on; until then it takes no
// signal but the one that kills.
func (c *Child) Freeze() error { return c.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (c *Child) Thaw() error { return c.Signal(syscall.SIGCONT) }
