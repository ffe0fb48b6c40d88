package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/floor"
	"github.com/stentor-audio/stentor/relay/plan"
	"github.com/stentor-audio/stentor/relay/roomstate"
)

func relayCommand() *cli.Command {
	return &cli.Command{
		Name:  "relay",
		Usage: "run a relay",
		UsageText: "stentor relay --open --listen 127.0.0.1:4443          to try things: everybody may do everything\n" +
			"stentor relay --keys keys/ --cert c.pem --key k.pem  for the public\n" +
			"stentor relay --keys keys/ --gossip :7946 --gossip-key gossip.key --join relays.example.org:7946\n" +
			"stentor relay --config relay.toml",
		Description: "Serves native QUIC and WebTransport on the UDP port of --listen and HTTPS on the TCP port\n" +
			"of the same number. Prints one line 'ready NAME URL' when it serves. With --gossip or --join it\n" +
			"is one of a network: any relay has every room, and clients go from one to another without a\n" +
			"gap. SIGTERM (or Ctrl-C) moves the sessions to other relays and ends it; a second one ends it\n" +
			"at once.\n\n" +
			"--open lets whoever reaches the relay speak, listen, and command every room as its host: it is for\n" +
			"this machine, and refused on any other address than loopback. --open=listen lets everybody listen\n" +
			"and nobody do more; with --keys, those with tokens do what these say.\n\n" +
			"Each flag may stand in the file of --config (TOML or YAML), without its dashes.",
		OnUsageError: usageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: ":4443", Usage: "UDP and TCP `ADDRESS` for clients", EnvVars: env("listen")},
			&cli.StringFlag{Name: "http", Value: "127.0.0.1:8080", Usage: "loopback `ADDRESS` for HTTP in the clear; empty for none", EnvVars: env("http")},
			&cli.StringFlag{Name: "admin", Value: "127.0.0.1:9090", Usage: "`ADDRESS` for metrics, health and profiles; empty for none", EnvVars: env("admin")},
			&cli.StringFlag{Name: "name", Usage: "the relay's `NAME`; the host's if empty", EnvVars: env("name")},
			&cli.StringFlag{Name: "zone", Usage: "the `ZONE` (data centre) it stands in", EnvVars: env("zone")},
			&cli.StringFlag{Name: "advertise", Usage: "`HOST:PORT` that clients reach it at", EnvVars: env("advertise")},
			&cli.StringFlag{Name: "cert", Usage: "PEM certificate `FILE`; without one it makes its own and rotates it", EnvVars: env("cert")},
			&cli.StringFlag{Name: "key", Usage: "PEM key `FILE` of --cert", EnvVars: env("key")},
			&cli.StringFlag{Name: "keys", Usage: "JWK file or folder of KID.jwk: only who has a token comes in", EnvVars: env("keys")},
			openFlag(),
			&cli.DurationFlag{Name: "host-grace", Value: roomstate.DefaultGrace, Usage: "how long a room's hosts may be gone until a co-host stands in", EnvVars: env("host-grace")},
			&cli.StringSliceFlag{Name: "origin", Usage: "page `ORIGIN` (https://host) that may connect; repeat it; every page if none", EnvVars: env("origin")},
			&cli.StringFlag{Name: "gossip", Usage: "`HOST:PORT` (UDP and TCP) where relays find each other; :7946 with --join, else none", EnvVars: env("gossip")},
			&cli.StringSliceFlag{Name: "join", Usage: "gossip `HOST:PORT` of other relays; repeat it; a name may stand for several", EnvVars: env("join")},
			&cli.StringFlag{Name: "gossip-key", Usage: "`FILE` with the key that all relays of the network share: 'openssl rand -hex 32' makes one", EnvVars: env("gossip-key")},
			&cli.DurationFlag{Name: "drain", Value: relay.DefaultDrain, Usage: "how long SIGTERM waits for the sessions to move to other relays", EnvVars: env("drain")},
			&cli.IntFlag{Name: "capacity", Value: 5000, Usage: "`LISTENERS` it is meant for", EnvVars: env("capacity")},
			&cli.IntFlag{Name: "egress", Usage: "`PACKETS` a second it may send; newcomers go elsewhere as it comes near; 0 for no limit", EnvVars: env("egress")},
			&cli.Float64Flag{Name: "join-rate", Usage: "`HANDSHAKES` a second it begins at most; 0 finds out what the machine has to spare", EnvVars: env("join-rate")},
			&cli.IntFlag{Name: "degree", Value: plan.DefaultDegree, Usage: "how many `RELAYS` one feeds at most in a large room", Hidden: true, EnvVars: env("degree")},
			&cli.IntFlag{Name: "loudest", Value: floor.DefaultN, Usage: "how many `SPEAKERS` listeners hear at once, if more are on a room's stage: the loudest", EnvVars: env("loudest")},
			&cli.StringFlag{Name: "data-dir", Usage: "`DIR` that keeps certificate and keys across restarts", EnvVars: env("data-dir")},
			&cli.StringFlag{Name: "log-level", Value: "info", Usage: "debug, info, warn or error", EnvVars: env("log-level")},
			&cli.StringFlag{Name: "config", Usage: "TOML or YAML `FILE` with these flags", EnvVars: env("config")},
		},
		Action: runRelay,
	}
}

func runRelay(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("relay takes no argument, only flags: %q; see 'stentor relay --help'", c.Args().First())
	}
	if path := c.String("config"); path != "" {
		if err := applyConfig(c, path); err != nil {
			return err
		}
	}
	log, err := newLogger(c.String("log-level"))
	if err != nil {
		return err
	}
	relay.TuneProcess()
	r, err := relay.New(relay.Config{
		Listen:         c.String("listen"),
		HTTP:           c.String("http"),
		Admin:          c.String("admin"),
		Name:           c.String("name"),
		Zone:           c.String("zone"),
		Advertise:      c.String("advertise"),
		CertFile:       c.String("cert"),
		KeyFile:        c.String("key"),
		Keys:           c.String("keys"),
		Open:           c.Generic("open").(*openness).all,
		OpenListen:     c.Generic("open").(*openness).listen,
		HostGrace:      c.Duration("host-grace"),
		AllowedOrigins: c.StringSlice("origin"),
		DataDir:        c.String("data-dir"),
		Capacity:       c.Int("capacity"),
		Egress:         c.Int("egress"),
		JoinRate:       c.Float64("join-rate"),
		Gossip:         c.String("gossip"),
		Join:           c.StringSlice("join"),
		GossipKey:      c.String("gossip-key"),
		Drain:          drainFor(c),
		Degree:         c.Int("degree"),
		Loudest:        c.Int("loudest"),
		Version:        version,
		Logger:         log,
		OnReady:        func(r *relay.Relay) { fmt.Printf("ready %s %s\n", r.Name(), r.URL()) },
	})
	if err != nil {
		return err
	}
	return r.Run(c.Context)
}

// newLogger writes lines for people to stderr.
func newLogger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level %q: want debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}

// drainFor makes --drain 0s what it says: no wait.
func drainFor(c *cli.Context) time.Duration {
	if d := c.Duration("drain"); d > 0 {
		return d
	}
	return -1
}
