package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/client"
)

// adminFlag says whose admin address is asked.
func adminFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "admin", Value: "http://127.0.0.1:9090",
		Usage: "admin `URL` of a relay", EnvVars: env("admin"),
	}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "write the result to stdout as JSON", EnvVars: env("json")}
}

// adminURL is the admin address that the command line names: a URL, or HOST:PORT.
func adminURL(given string) (*url.URL, error) {
	if !strings.Contains(given, "://") {
		given = "http://" + given
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("admin address %q: want http://HOST:PORT", given)
	}
	return u, nil
}

// askAdmin sends a request to a relay's admin address and reads its answer.
func askAdmin(ctx context.Context, admin, method, path string, body, into any) error {
	u, err := adminURL(admin)
	if err != nil {
		return err
	}
	target, query, _ := strings.Cut(path, "?")
	u.Path, u.RawQuery = target, query
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), content)
	if err != nil {
		return usagef("admin address %q: %v", admin, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("nobody answers at %s; give the admin address of a relay that runs with --admin URL: %w (%w)", u.Host, client.ErrUnreachable, errors.Unwrap(err))
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", u.Host, err)
	}
	if resp.StatusCode != http.StatusOK {
		var refusal struct {
			Error struct{ Message string }
		}
		if json.Unmarshal(answer, &refusal) == nil && refusal.Error.Message != "" {
			return errors.New(refusal.Error.Message)
		}
		return fmt.Errorf("%s answers %s: is it the --admin address of a relay?", u.Host, resp.Status)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s does not answer as a relay: %w", u.Host, err)
	}
	return nil
}
