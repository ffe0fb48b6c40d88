package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestWrongFlagNamesTheHelpThatHelps(t *testing.T) {
	for args, want := range map[string]string{
		"--nix":              "'stentor help'",
		"relay --nix":        "'stentor relay --help'",
		"bench --nix":        "'stentor bench --help'",
		"bench fanout --nix": "'stentor bench fanout --help'",
		"token issue --nix":  "'stentor token issue --help'",
	} {
		stentor := app()
		stentor.Writer, stentor.ErrWriter = io.Discard, io.Discard
		err := stentor.Run(append([]string{"stentor"}, strings.Fields(args)...))
		if !errors.Is(err, errUsage) || !strings.HasSuffix(err.Error(), want) || exitCode(err) != 2 {
			t.Errorf("stentor %s: %v, exit %d", args, err, exitCode(err))
		}
	}
}
