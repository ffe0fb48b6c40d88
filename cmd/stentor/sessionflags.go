package main

import (
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client"
)

// defaultRelay is a relay on this machine with its default ports.
const defaultRelay = "https://127.0.0.1:4443"

// sessionFlags are the flags of every verb that connects to a relay.
func sessionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "relay", Usage: "`URL` of a relay: https://host:port, moqt://host:port, or http://host:port while developing; repeat it for more", DefaultText: defaultRelay, EnvVars: env("relay")},
		&cli.StringFlag{Name: "token", Usage: "the `JWT` that lets you in", EnvVars: env("token")},
		&cli.StringSliceFlag{Name: "certificate-sha256", Usage: "accept a relay's certificate by its `HASH`, as /certificate.sha256 shows it, instead of by authority", EnvVars: env("certificate-sha256")},
		&cli.BoolFlag{Name: "quic", Usage: "native QUIC only", EnvVars: env("quic")},
		&cli.BoolFlag{Name: "webtransport", Usage: "WebTransport only", EnvVars: env("webtransport")},
		&cli.DurationFlag{Name: "connect-timeout", Usage: "give up after `TIME` if no relay answers at the beginning", DefaultText: "10s", EnvVars: env("connect-timeout")},
		&cli.StringFlag{Name: "log-level", Value: "warn", Usage: "debug, info, warn or error", EnvVars: env("log-level")},
	}
}

// relays are the URLs to connect to, each at path unless it says itself where.
// At the root of a relay a token for another room would be good, too: nobody
// would be told that he speaks or listens where nobody else can be.
func relays(c *cli.Context, path ...string) []string {
	urls := slices.Clone(c.StringSlice("relay"))
	if len(urls) == 0 {
		urls = []string{defaultRelay}
	}
	for i, text := range urls {
		if u, err := url.Parse(text); err == nil && strings.Trim(u.Path, "/") == "" && u.Host != "" {
			u.Path, u.RawPath = "/"+strings.Join(path, "/"), ""
			urls[i] = u.String()
		}
	}
	return urls
}

// dialOptions reads the session flags.
func dialOptions(c *cli.Context, log *slog.Logger) (client.Options, error) {
	o := client.Options{Token: c.String("token"), Logger: log}
	switch {
	case c.Bool("quic") && c.Bool("webtransport"):
		return o, usagef("--quic and --webtransport exclude each other; without either, both are tried")
	case c.Bool("quic"):
		o.Transport = client.QUIC
	case c.Bool("webtransport"):
		o.Transport = client.WebTransport
	}
	for _, text := range c.StringSlice("certificate-sha256") {
		hash, err := client.ParseHash(text)
		if err != nil {
			return o, usagef("--certificate-sha256: %w", err)
		}
		o.CertificateHashes = append(o.CertificateHashes, hash)
	}
	if c.Duration("connect-timeout") < 0 {
		return o, usagef("--connect-timeout %v: want a time above 0", c.Duration("connect-timeout"))
	}
	return o, nil
}

// needRoom checks the flag that nothing goes without.
func needRoom(c *cli.Context) error {
	if c.String("room") == "" {
		return usagef("--room is missing; see 'stentor %s --help'", c.Command.Name)
	}
	return nil
}
