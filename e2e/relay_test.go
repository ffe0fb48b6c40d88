package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
)

// A relay is `stentor relay` as a child that serves.
type relay struct {
	*child
	name  string
	url   string
	http  string // http://HOST:PORT of the HTTP in the clear
	admin string // the same of the admin's
}

// startRelay starts a relay on free ports of loopback and waits until it serves.
func startRelay(t *testing.T, args ...string) *relay {
	t.Helper()
	args = append([]string{"relay", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)
	return serving(start(t, args...))
}

// serving waits for a relay's ready line: `ready NAME URL`. Where the other
// ports are it tells in the log.
func serving(c *child) *relay {
	c.t.Helper()
	ready := c.line(c.stdout, "ready ")
	r := &relay{child: c}
	rest, _ := strings.CutPrefix(ready, "ready ")
	space := strings.LastIndex(rest, " ")
	if space < 0 {
		c.t.Fatalf("ready line %q", ready)
	}
	r.name, r.url = rest[:space], rest[space+1:]
	log := c.line(c.stderr, "msg=ready")
	address := func(key string) string {
		if m := regexp.MustCompile(` ` + key + `=(\S+)`).FindStringSubmatch(log); m != nil {
			return "http://" + m[1]
		}
		return ""
	}
	r.http, r.admin = address("http"), address("admin")
	return r
}

// get returns status and body of a URL.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	status, body, err := fetch(url)
	if err != nil {
		t.Fatal(err)
	}
	return status, body
}

func fetch(url string) (int, string, error) {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// eventually waits until so is true. It is for what announces itself to nobody.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	if !holds(so) {
		t.Fatalf("still not so: %s", what)
	}
}

// holds waits until so is true, or returns false in the end.
func holds(so func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !so(); {
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}
	return true
}

func TestRelayTellsItsOperator(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open", "--name", "Süd 1", "--advertise", "relay.example:4443")
	if r.name != "Süd 1" || r.url != "https://relay.example:4443" {
		t.Errorf("ready %q %q", r.name, r.url)
	}
	if out := r.stdout.text(); strings.Count(out, "\n") != 1 {
		t.Errorf("on stdout is more than the ready line:\n%s", out)
	}
	for _, tt := range []struct {
		url    string
		status int
		body   string // a pattern
	}{
		{r.admin + "/healthz", 200, `^alive\n$`},
		{r.admin + "/readyz", 200, `^ready\n$`},
		{r.admin + "/metrics", 200, `(?m)^stentor_state\{state="ready"\} 1$`},
		{r.admin + "/metrics", 200, `(?m)^process_resident_memory_bytes [1-9]`},
		{r.admin + "/debug/pprof/", 200, `goroutine`},
		{r.http + "/certificate.sha256", 200, `^[0-9a-f]{64}$`},
		{r.http + "/r/town", 200, `<title>town · Stentor</title>`},
		{r.http + "/v1/rooms", 200, `^\{"rooms":\[\]\}\n$`},
		{r.http + "/v1/rooms/town/relays", 200, `"name":"Süd 1","url":"https://relay.example:4443/town"`},
		{r.http + "/metrics", 404, `"code":"not_found"`}, // is the operator's
	} {
		if status, body := get(t, tt.url); status != tt.status || !regexp.MustCompile(tt.body).MatchString(body) {
			t.Errorf("%s: %d %.200q, want %d and %s", tt.url, status, body, tt.status, tt.body)
		}
	}
}

func TestRelayServesHTTPSOnTheSamePort(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open")
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	resp, err := (&http.Client{Timeout: patience, Transport: transport}).Get(r.url + "/certificate.sha256")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	hash, err := io.ReadAll(resp.Body)
	shown := sha256.Sum256(resp.TLS.PeerCertificates[0].Raw)
	if err != nil || string(hash) != hex.EncodeToString(shown[:]) {
		t.Errorf("the hash is %s, %v; the certificate's is %x", hash, err, shown)
	}
}

func TestRelayEndsCleanly(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			r := startRelay(t, "--open")
			r.signal(sig)
			r.succeed()
		})
	}
}

func TestSecondSIGTERMEndsARelayAtOnce(t *testing.T) {
	t.Parallel()
	// The relay gives its sessions half a second to leave, and in that time the
	// second signal must come. On a busy machine it may not; then once more.
	for range 20 {
		r := startRelay(t, "--open")
		s, err := client.Dial(t.Context(), r.url, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r.signal(syscall.SIGTERM)
		eventually(t, "the relay drains", func() bool {
			status, _, err := fetch(r.admin + "/readyz")
			return status == http.StatusServiceUnavailable || err != nil // it is gone
		})
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		r.wait()
		s.Close()
		if status := r.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
			if status.Signal() != syscall.SIGTERM {
				t.Errorf("ended by %v", status.Signal())
			}
			return
		}
	}
	t.Error("the relay never minds a second SIGTERM")
}

func TestRelayReadsItsConfigFile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file, content string
	}{
		{"relay.toml", "name = \"from-file\"\nzone = \"from-file\"\nopen = true\nlisten = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\nadmin = \"\"\ncapacity = 7\norigin = [\"https://a.example\", \"https://b.example\"]\n"},
		{"relay.yaml", "name: from-file\nzone: from-file\nopen: true\nlisten: 127.0.0.1:0\nhttp: 127.0.0.1:0\nadmin: ''\ncapacity: 7\norigin: [https://a.example, https://b.example]\n"},
		{"RELAY.YML", "{name: from-file, zone: from-file, open: true, listen: '127.0.0.1:0', http: '127.0.0.1:0', admin: ''}"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			file := writeFile(t, tt.file, []byte(tt.content))
			// The command line wins over the environment, that over the file.
			env := []string{"STENTOR_NAME=from-environment", "STENTOR_ZONE=from-environment"}
			r := serving(spawn(t, env, stentor, "relay", "--config", file, "--zone", "from-command-line"))
			if r.name != "from-environment" || r.admin != "" {
				t.Errorf("name %q, admin %q", r.name, r.admin)
			}
			if _, body := get(t, r.http+"/v1/rooms/town/relays"); !strings.Contains(body, `"zone":"from-command-line"`) {
				t.Errorf("%s", body)
			}
		})
	}
}

func TestRelayKeepsItsCertificate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	var hashes [2]string
	for i := range hashes {
		r := startRelay(t, "--open", "--data-dir", dir)
		_, hashes[i] = get(t, r.http+"/certificate.sha256")
		r.signal(syscall.SIGTERM)
		r.succeed()
	}
	if hashes[0] != hashes[1] || len(hashes[0]) != 64 {
		t.Errorf("before %q, after %q", hashes[0], hashes[1])
	}
}

func TestDemoEndsByItself(t *testing.T) {
	t.Parallel()
	demo := start(t, "demo", "--http", "127.0.0.1:0", "--duration", "3s")
	page := regexp.MustCompile(`http://\S+/r/demo`).FindString(demo.line(demo.stdout, "page "))
	if status, body := get(t, page); status != http.StatusOK || !strings.Contains(body, "<title>") {
		t.Errorf("%s: %d %.200q", page, status, body)
	}
	rooms := strings.TrimSuffix(page, "/r/demo") + "/v1/rooms/demo"
	eventually(t, "the herald speaks", func() bool {
		_, body := get(t, rooms)
		return strings.Contains(body, `"name":"herald"`)
	})
	demo.succeed()
}
