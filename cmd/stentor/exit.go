package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/relay"
)

// Exit codes. Scripts depend on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotAllowed  = 3
	exitUnreachable = 4
)

var (
	// errUsage says that the command line is wrong.
	errUsage = errors.New("usage")
	// errSaid is an error whose text is on the terminal already.
	errSaid = errors.New("said")
)

// usagef returns an error for a wrong command line, exit code 2.
func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}

func usageError(c *cli.Context, err error, _ bool) error {
	var path []string
	for _, at := range c.Lineage() {
		if at.Command != nil && at.Command.Name != "" && at.Command.Name != "stentor" {
			path = append([]string{at.Command.Name}, path...)
		}
	}
	if len(path) == 0 {
		return usagef("%w; see 'stentor help'", err)
	}
	return usagef("%w; see 'stentor %s --help'", err, strings.Join(path, " "))
}

// exitCode is the status that tells a script what err means.
func exitCode(err error) int {
	var coder cli.ExitCoder
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return exitDone
	case errors.As(err, &coder):
		return coder.ExitCode()
	case errors.Is(err, errUsage), errors.Is(err, relay.ErrConfig), errors.Is(err, client.ErrAddress):
		return exitUsage
	case errors.Is(err, client.ErrNotAllowed), errors.Is(err, client.ErrCertificate):
		return exitNotAllowed
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, client.ErrProtocol):
		return exitUnreachable
	}
	return exitFailed
}
