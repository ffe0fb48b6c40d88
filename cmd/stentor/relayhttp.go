package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/stentor-audio/stentor/client"
)

// errNoAnswer says that a relay could not be asked; another may.
var errNoAnswer = fmt.Errorf("%w: nobody answers", client.ErrUnreachable)

// relayHTTP makes a client for the public HTTP of relays. Their certificates are
// trusted as sessions trust them: by an authority, by a hash that was given, or on
// this very machine without either.
func relayHTTP(pins []string) (*http.Client, error) {
	var hashes [][32]byte
	for _, text := range pins {
		hash, err := client.ParseHash(text)
		if err != nil {
			return nil, usagef("--certificate-sha256: %w", err)
		}
		hashes = append(hashes, hash)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		d := tls.Dialer{Config: trusting(host, hashes)}
		return d.DialContext(ctx, network, addr)
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a token goes to nobody else
	}}, nil
}

// trusting is how a relay at host is told from others.
func trusting(host string, hashes [][32]byte) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, NextProtos: []string{"http/1.1"}}
	ip := net.ParseIP(host)
	here := host == "localhost" || ip != nil && ip.IsLoopback()
	if len(hashes) == 0 && !here {
		return cfg
	}
	cfg.InsecureSkipVerify = true // what it shows is looked at below
	cfg.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
		if len(hashes) == 0 || len(raw) > 0 && slices.Contains(hashes, sha256.Sum256(raw[0])) {
			return nil
		}
		return fmt.Errorf("%w: it is none of --certificate-sha256", client.ErrCertificate)
	}
	return cfg
}

// askOne sends a request to a relay and reads its answer.
func askOne(ctx context.Context, h *http.Client, base, jwt, method, path string, body, into any) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("--relay %q: want https://HOST:PORT", base)
	}
	if query := u.Query().Get("jwt"); jwt == "" {
		jwt = query
	}
	target, err := url.Parse(path)
	if err != nil {
		return usagef("%v", err)
	}
	u = (&url.URL{Scheme: u.Scheme, Host: u.Host}).ResolveReference(target)
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
		return usagef("--relay %q: %v", base, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if jwt != "" {
		req.Header.Set("Authorization", "Bearer "+jwt)
	}
	resp, err := h.Do(req)
	switch {
	case errors.Is(err, client.ErrCertificate):
		return err
	case err != nil:
		return fmt.Errorf("%w at %s: %w", errNoAnswer, u.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("%w at %s: %w", errNoAnswer, u.Host, err)
	}
	if resp.StatusCode != http.StatusOK {
		return refusedWith(u.Host, resp, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%w: %s does not answer as a relay: %w", client.ErrProtocol, u.Host, err)
	}
	return nil
}

// refusedWith is the error that a refusal comes to.
func refusedWith(host string, resp *http.Response, answer []byte) error {
	var refusal struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(answer, &refusal) != nil || refusal.Error.Message == "" {
		return fmt.Errorf("%w: %s answers %s: is it a relay?", client.ErrProtocol, host, resp.Status)
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %s", client.ErrNotAllowed, refusal.Error.Message)
	case http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", errNoAnswer, refusal.Error.Message)
	case http.StatusBadRequest:
		return usagef("%s", refusal.Error.Message)
	}
	return errors.New(refusal.Error.Message)
}
