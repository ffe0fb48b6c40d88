package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/stentor-audio/stentor/token"
)

// tokenVerb runs `stentor token` and returns what it printed and its exit code.
func tokenVerb(stdin string, args ...string) (stdout, stderr string, code int) {
	var out, messages bytes.Buffer
	app := &cli.App{
		Name: "stentor", Commands: []*cli.Command{tokenCommand()},
		Reader: strings.NewReader(stdin), Writer: &out, ErrWriter: &messages,
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
	}
	err := app.Run(append([]string{"stentor", "token"}, args...))
	if err != nil {
		messages.WriteString(err.Error())
	}
	return out.String(), messages.String(), exitCode(err)
}

func mustTokenVerb(t *testing.T, args ...string) string {
	t.Helper()
	out, messages, code := tokenVerb("", args...)
	if code != 0 {
		t.Fatalf("stentor token %s: exit %d: %s", strings.Join(args, " "), code, messages)
	}
	return strings.TrimSpace(out)
}

// onlyKey returns the file that `token key --out DIR/` made.
func onlyKey(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jwk"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	return files[0]
}

func TestTokenFromKeyToGrant(t *testing.T) {
	tests := []struct {
		name string
		args []string // of issue
		room string   // of verify
		want string   // of verify --json, without expiry and kid
	}{
		{"a listener", []string{"--room", "town"}, "town",
			`{"publish":[],"subscribe":[""],"role":"listener"}`},
		{"a speaker", []string{"--room", "town", "--role", "speaker", "--name", "ada"}, "/town/",
			`{"publish":["ada"],"subscribe":[""],"role":"speaker","name":"ada"}`},
		{"a host with a name of its own", []string{"--room", "town", "--role", "host", "--name", "Ada Ødegård", "--put", "ada", "--get", "/", "--sub", "u7"}, "town",
			`{"publish":["ada"],"subscribe":[""],"role":"host","name":"Ada Ødegård","sub":"u7"}`},
		{"several paths", []string{"--put", "a,b", "--put", "c/d", "--get", "x"}, "",
			`{"publish":["a","b","c/d"],"subscribe":["x"],"role":"listener"}`},
	}
	for _, alg := range []string{"HS256", "ES256"} {
		dir := t.TempDir()
		mustTokenVerb(t, "key", "--alg", alg, "--out", dir+"/keys/")
		keys := filepath.Join(dir, "keys")
		for _, tt := range tests {
			t.Run(alg+" "+tt.name, func(t *testing.T) {
				jwt := mustTokenVerb(t, append([]string{"issue", "--key", onlyKey(t, keys)}, tt.args...)...)
				got := mustTokenVerb(t, "verify", "--json", "--keys", keys, "--room", tt.room, jwt)
				var grant map[string]any
				if err := json.Unmarshal([]byte(got), &grant); err != nil {
					t.Fatal(err)
				}
				expires, err := time.Parse(time.RFC3339, grant["expires"].(string))
				if left := time.Until(expires); err != nil || left <= 23*time.Hour || left > 24*time.Hour {
					t.Errorf("expires %v (%v)", grant["expires"], err)
				}
				if grant["kid"].(string)+".jwk" != filepath.Base(onlyKey(t, keys)) {
					t.Errorf("kid %v", grant["kid"])
				}
				delete(grant, "expires")
				delete(grant, "kid")
				var want map[string]any
				if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
					t.Fatal(err)
				}
				a, _ := json.Marshal(grant)
				b, _ := json.Marshal(want)
				if !bytes.Equal(a, b) {
					t.Errorf("%s, want %s", a, b)
				}
				text := mustTokenVerb(t, "verify", "--keys", keys, "--room", tt.room, jwt)
				if !strings.HasPrefix(text, "publish ") || !strings.Contains(text, "\nsubscribe ") {
					t.Errorf("printed:\n%s", text)
				}
			})
		}
	}
}

func TestTokenKeyWritesWhatItSays(t *testing.T) {
	dir := t.TempDir()
	private, public := filepath.Join(dir, "office.jwk"), filepath.Join(dir, "public.jwk")
	if out := mustTokenVerb(t, "key", "--alg", "EdDSA", "--out", private, "--public", public); out != "" {
		t.Errorf("printed %q although it wrote to a file", out)
	}
	for name, mode := range map[string]os.FileMode{private: 0o600, public: 0o644} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&^mode != 0 {
			t.Errorf("%s: %v (%v)", name, info.Mode(), err)
		}
	}
	secret, err := token.LoadKey(private)
	if err != nil || !secret.CanSign() {
		t.Errorf("%v %v", secret, err)
	}
	half, err := token.LoadKey(public)
	if err != nil || half.CanSign() || !half.CanVerify() || half.ID() != secret.ID() {
		t.Errorf("%v %v", half, err)
	}
	before, err := os.ReadFile(private)
	if err != nil {
		t.Fatal(err)
	}
	if _, messages, code := tokenVerb("", "key", "--out", private); code != exitFailed || !strings.Contains(messages, "exists") {
		t.Errorf("writing again: exit %d, %s", code, messages)
	}
	if after, err := os.ReadFile(private); err != nil || !bytes.Equal(before, after) {
		t.Error("the key was overwritten")
	}
	printed := mustTokenVerb(t, "key", "--kid", "k1")
	if key, err := token.ParseKey([]byte(printed)); err != nil || key.ID() != "k1" || key.Algorithm() != "HS256" {
		t.Errorf("%s: %v", printed, err)
	}
}

func TestTokenKeyCeiling(t *testing.T) {
	dir := t.TempDir()
	mustTokenVerb(t, "key", "--room", "town", "--get", "/", "--out", dir)
	key := onlyKey(t, dir)
	mustTokenVerb(t, "issue", "--key", key, "--room", "town")
	for _, args := range [][]string{{"--room", "village"}, {"--room", "town", "--role", "speaker", "--name", "ada"}, {}} {
		_, messages, code := tokenVerb("", append([]string{"issue", "--key", key}, args...)...)
		if code != exitFailed || !strings.Contains(messages, "more than its key may") {
			t.Errorf("%v: exit %d, %s", args, code, messages)
		}
	}
}

func TestTokenVerifyReadsStandardInput(t *testing.T) {
	dir := t.TempDir()
	mustTokenVerb(t, "key", "--out", dir)
	jwt := mustTokenVerb(t, "issue", "--key", onlyKey(t, dir), "--expires", "0")
	out, messages, code := tokenVerb(jwt+"\n", "verify", "--keys", dir, "-")
	if code != 0 || !slices.Contains(strings.Fields(out), "never") {
		t.Errorf("exit %d: %s%s", code, out, messages)
	}
}

func TestTokenExitCodes(t *testing.T) {
	dir := t.TempDir()
	mustTokenVerb(t, "key", "--out", dir)
	key := onlyKey(t, dir)
	jwt := mustTokenVerb(t, "issue", "--key", key, "--room", "town")
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
		says string
	}{
		{[]string{"verify", "--keys", dir, "--room", "village", jwt}, exitNotAllowed, "grants nothing here"},
		{[]string{"verify", "--keys", dir, "--room", "town", jwt[:len(jwt)-4]}, exitNotAllowed, "signature"},
		{[]string{"verify", "--keys", dir, "hello"}, exitNotAllowed, "malformed"},
		{[]string{"verify", "--keys", dir, ""}, exitNotAllowed, "missing"},
		{[]string{"verify", "--keys", dir}, exitUsage, "TOKEN"},
		{[]string{"verify", "--keys", dir, "--", jwt, jwt}, exitUsage, "TOKEN"},
		{[]string{"verify", "--keys", text, jwt}, exitFailed, "unusable key"},
		{[]string{"verify", "--keys", filepath.Join(dir, "none"), jwt}, exitFailed, "no such file"},
		{[]string{"issue", "--key", key, "--role", "king"}, exitUsage, "host, cohost, speaker"},
		{[]string{"issue", "--key", key, "--role", "speaker"}, exitUsage, "--name"},
		{[]string{"issue", "--key", key, "--expires", "-1h"}, exitUsage, "--expires"},
		{[]string{"issue", "--key", key, "--expires", "soon"}, exitUsage, "expires"},
		{[]string{"issue", "--key", key, "--get", strings.Repeat("a/", 40)}, exitUsage, "--get"},
		{[]string{"issue", "--key", key, "town"}, exitUsage, "no argument"},
		{[]string{"issue", "--key", text}, exitFailed, "unusable key"},
		{[]string{"issue", "--room", "town"}, exitUsage, "--key"},
		{[]string{"issue", "--rooom", "town"}, exitUsage, "rooom"},
		{[]string{"verify", jwt}, exitUsage, "--keys"},
		{[]string{"key", "--alg", "HS1"}, exitUsage, "HS1"},
		{[]string{"key", "--kid", "a b"}, exitUsage, "kid"},
		{[]string{"key", "--public", text + ".pub"}, exitUsage, "--alg"},
		{[]string{"key", "--room", "town"}, exitUsage, "--put"},
		{[]string{"key", "--out", filepath.Join(text, "x")}, exitFailed, "not a directory"},
	}
	for _, tt := range tests {
		out, messages, code := tokenVerb("", tt.args...)
		if code != tt.code || !strings.Contains(messages, tt.says) {
			t.Errorf("%.60q: exit %d %q, want %d and %q", tt.args, code, messages, tt.code, tt.says)
		}
		if strings.TrimSpace(out) != "" && code != exitUsage { // urfave prints help on wrong usage
			t.Errorf("%.60q: printed %q and failed", tt.args, out)
		}
	}
}
