package api

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/web"
)

// named finds what a page or a script names: /assets/FILE?v=VERSION.
var named = regexp.MustCompile(`/assets/([\w.-]+)\?v=([0-9a-f]+)`)

// get asks with a few headers, given as pairs.
func get(t *testing.T, target string, headers ...string) *http.Response {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	Public(town{}).ServeHTTP(w, req)
	return w.Result()
}

// Whoever builds the pages writes the versions, whoever serves them computes them:
// were they not the same, no browser would keep a file.
func TestWhatPagesNameIsThere(t *testing.T) {
	seen := 0
	err := fs.WalkDir(web.Pages, "dist", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(web.Pages, file)
		for _, match := range named.FindAllStringSubmatch(string(content), -1) {
			seen++
			resp := get(t, match[0])
			if cache := resp.Header.Get("Cache-Control"); resp.StatusCode != 200 || !strings.Contains(cache, "immutable") {
				t.Errorf("%s names %s: %d, %q", file, match[0], resp.StatusCode, cache)
			}
		}
		return err
	})
	if err != nil || seen < 6 {
		t.Errorf("%d names in the pages, %v", seen, err)
	}
}

func TestPagesAreIsolatedAndStrict(t *testing.T) {
	for _, target := range []string{"/", "/r/town", "/assets/room.js", "/assets/worklet.js"} {
		h := get(t, target).Header
		for name, want := range map[string]string{
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Embedder-Policy": "require-corp",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Content-Security-Policy":      policy,
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
	}
	if strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "'unsafe-eval'") || !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("the policy is lax: %s", policy)
	}
}

func TestAssetsComeInEveryForm(t *testing.T) {
	plain, err := fs.ReadFile(web.Pages, "dist/assets/room.js")
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(plain)
	version := hex.EncodeToString(hash[:])[:versionLength]
	tests := []struct {
		name, target, encodings string
		cache                   string
		gzip                    bool
	}{
		{"its version", "/assets/room.js?v=" + version, "gzip, deflate, br, zstd", "public, max-age=31536000, immutable", true},
		{"another version", "/assets/room.js?v=0123456789ab", "gzip", "no-cache", true},
		{"no version", "/assets/room.js", "gzip;q=0.5", "no-cache", true},
		{"no gzip", "/assets/room.js", "br, gzip;q=0", "no-cache", false},
		{"no wish", "/assets/room.js", "", "no-cache", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := get(t, tt.target, "Accept-Encoding", tt.encodings)
			var body io.Reader = resp.Body
			if packed := resp.Header.Get("Content-Encoding") == "gzip"; packed != tt.gzip {
				t.Fatalf("gzip is %v", packed)
			}
			if tt.gzip {
				if body, err = gzip.NewReader(resp.Body); err != nil {
					t.Fatal(err)
				}
			}
			got, err := io.ReadAll(body)
			if err != nil || string(got) != string(plain) {
				t.Errorf("%d bytes, %v; want %d", len(got), err, len(plain))
			}
			if cache := resp.Header.Get("Cache-Control"); cache != tt.cache || resp.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%q, varies by %q", cache, resp.Header.Get("Vary"))
			}
		})
	}
}

func TestWhatIsKnownIsNotSentAgain(t *testing.T) {
	for _, target := range []string{"/", "/r/town", "/assets/style.css"} {
		tag := get(t, target, "Accept-Encoding", "gzip").Header.Get("ETag")
		for _, wish := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			resp := get(t, target, "Accept-Encoding", "gzip", "If-None-Match", wish)
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 304 || len(body) != 0 {
				t.Errorf("%s with %s: %d, %d bytes", target, wish, resp.StatusCode, len(body))
			}
		}
		if resp := get(t, target, "If-None-Match", `"other"`); resp.StatusCode != 200 {
			t.Errorf("%s with another tag: %d", target, resp.StatusCode)
		}
	}
}

func TestNothingElseIsAnAsset(t *testing.T) {
	for _, target := range []string{"/assets/none.js", "/assets/", "/assets/..%2froom.html", "/assets/%2e%2e"} {
		if resp := get(t, target); resp.StatusCode != 404 {
			t.Errorf("%s: %d", target, resp.StatusCode)
		}
	}
}

func TestNamesOfRoomsAreText(t *testing.T) {
	for _, target := range []string{"/r/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/r/%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E", "/r/%7B%7B.Open%7D%7D"} {
		body, _ := io.ReadAll(get(t, target).Body)
		if strings.Contains(string(body), "<script>") || strings.Contains(string(body), "<img") || strings.Contains(string(body), "<title>true") {
			t.Errorf("%s:\n%s", target, body)
		}
	}
}
