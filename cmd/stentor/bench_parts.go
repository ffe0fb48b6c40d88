package main

import (
	"os"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/bench"
	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/protocol"
)

// The processes that a measurement starts beside the relay. Their flags are set
// by package bench and by nobody else, so they have no variables.

// benchBareCommand is the baseline.
func benchBareCommand() *cli.Command {
	return &cli.Command{
		Name:         "bare-server",
		Usage:        "the plain loop that relays are compared with",
		Hidden:       true,
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "packet", Usage: "time between two datagrams"},
			&cli.IntFlag{Name: "bytes", Usage: "payload of a datagram"},
		},
		Action: func(c *cli.Context) error {
			return bench.ServeBare(c.Context, c.Duration("packet"), c.Int("bytes"), os.Stdin, os.Stdout)
		},
	}
}

// benchFrozenCommand is the process that is stopped.
func benchFrozenCommand() *cli.Command {
	return &cli.Command{
		Name:         "frozen",
		Usage:        "listeners that are stopped from outside",
		Hidden:       true,
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "address"},
			&cli.StringFlag{Name: "path"},
			&cli.StringFlag{Name: "transport"},
			&cli.StringFlag{Name: "broadcast"},
			&cli.StringFlag{Name: "track"},
			&cli.IntFlag{Name: "listeners"},
		},
		Action: func(c *cli.Context) error {
			return bench.ListenFrozen(c.Context, crowd.Options{
				Address:   c.String("address"),
				Path:      c.String("path"),
				Transport: c.String("transport"),
				Broadcast: protocol.Path(c.String("broadcast")),
				Track:     c.String("track"),
				Listeners: c.Int("listeners"),
			}, os.Stdin, os.Stdout)
		},
	}
}
