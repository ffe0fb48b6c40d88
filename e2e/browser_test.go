package e2e

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

//go:embed testdata/listener.html
var listenerPage []byte

// A task is what the page is to do.
type task struct {
	URL       string `json:"url"` // of the relay, with the room
	Hash      string `json:"hash"`
	Speaker   string `json:"speaker"`
	Track     string `json:"track"`
	Datagrams bool   `json:"datagrams"` // declare that it reads them
	Groups    int    `json:"groups"`    // enough
	TimeoutMS int64  `json:"timeout_ms"`
}

// A report is what the page tells.
type report struct {
	Protocol  string    `json:"protocol"`
	Error     string    `json:"error"`
	Timescale uint64    `json:"timescale"`
	Datagrams []arrival `json:"datagrams"`
	Groups    []arrival `json:"groups"`
}

type arrival struct {
	Sequence  uint64 `json:"sequence"`
	Timestamp uint64 `json:"timestamp"`
	Payload   []byte `json:"payload"`
}

// A page is a web server with the page, as a site that embeds a room would be.
type page struct {
	*httptest.Server
	work    chan task // what is asked for at /task
	reports chan report
}

// newPage starts a site whose page has nothing to do yet.
func newPage(t *testing.T) *page {
	p := &page{work: make(chan task, 1), reports: make(chan report, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(listenerPage)
	})
	mux.HandleFunc("GET /task", func(w http.ResponseWriter, req *http.Request) {
		select {
		case work := <-p.work:
			_ = json.NewEncoder(w).Encode(work)
		case <-req.Context().Done(): // the browser was ended
		}
	})
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, req *http.Request) {
		var r report
		if err := json.NewDecoder(req.Body).Decode(&r); err != nil {
			r.Error = "the report does not read: " + err.Error()
		}
		select {
		case p.reports <- r:
		default: // nobody waits for a second one
		}
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// give hands the page its task.
func (p *page) give(work task) {
	work.TimeoutMS = patience.Milliseconds() / 2
	p.work <- work
}

// browse opens the page in a browser and returns its report.
func (p *page) browse(t *testing.T) report {
	t.Helper()
	b := startBrowser(t, p.URL)
	defer b.end()
	select {
	case r := <-p.reports:
		return r
	case <-b.exited:
		t.Fatal("the browser ended by itself")
	case <-time.After(patience):
		t.Fatal("the page reported nothing")
	}
	panic("not reached")
}

// servePage starts a site whose page has a task.
func servePage(t *testing.T, work task) *page {
	p := newPage(t)
	p.give(work)
	return p
}

// startBrowser runs a headless Chromium of its own on url.
func startBrowser(t *testing.T, url string) *child {
	t.Helper()
	program := chromium(t)
	// Not t.TempDir: it goes into the paths of sockets, which are short.
	dir, err := os.MkdirTemp("", "page-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // after the browser has ended
	return spawn(t, []string{"HOME=" + dir, "TMPDIR=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_CACHE_HOME=" + dir}, program,
		"--headless",
		// The sandbox needs privileges that containers lack, and works for no root.
		"--no-sandbox",
		"--user-data-dir="+filepath.Join(dir, "profile"),
		"--disable-gpu",
		// /dev/shm of a container may be too small for a tab.
		"--disable-dev-shm-usage",
		"--disable-breakpad",
		"--no-first-run",
		"--mute-audio",
		// It is to talk to nobody but the test.
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-default-apps",
		"--disable-domain-reliability",
		"--disable-extensions",
		"--disable-sync",
		"--no-proxy-server",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		// The page's console goes to the log of a test that fails.
		"--enable-logging=stderr",
		url)
}

// chromium is the browser's path. Only outside of CI may there be none.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium, and CI is set: scripts/install-deps.sh test installs it")
	}
	t.Skip("no Chromium here: scripts/install-deps.sh test installs it")
	return ""
}
