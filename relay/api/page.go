package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/stentor-audio/stentor/web"
)

// policy lets a page use its own files and nothing else; it connects to any host,
// because relays are other hosts. WebAssembly decodes Opus, and the lock screen
// wants an element with a sound, which the page makes.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; " +
	"img-src 'self'; media-src blob:; connect-src *; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// A site is how the pages are served.
type site struct {
	pages  *template.Template // by file name: {{.Room}} and {{.Open}}
	assets map[string]*asset
}

// An asset is a file that pages name, and its compressed form if that is shorter.
type asset struct {
	kind    string // content type
	version string // what ?v= says of it: the start of its hash
	plain   []byte
	gzip    []byte
}

var theSite = mustSite(web.Pages)

func mustSite(files fs.FS) *site {
	s, err := newSite(files)
	if err != nil {
		panic(err) // the binary was built of what cannot be served
	}
	return s
}

func newSite(files fs.FS) (*site, error) {
	pages, err := template.ParseFS(files, "dist/*.html")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	s := &site{pages: pages, assets: make(map[string]*asset)}
	entries, err := fs.ReadDir(files, "dist/assets")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(files, "dist/assets/"+entry.Name())
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
		a := newAsset(content)
		a.kind = kindOf(entry.Name())
		if packed := compress(content); len(packed) < len(content) {
			a.gzip = packed
		}
		s.assets[entry.Name()] = a
	}
	return s, nil
}

// versionLength is how much of a file's hash stands behind ?v=, in hex digits;
// web/scripts/build.mjs writes the same.
const versionLength = 12

func newAsset(content []byte) *asset {
	hash := sha256.Sum256(content)
	return &asset{version: hex.EncodeToString(hash[:])[:versionLength], plain: content}
}

// kindOf is independent of the machine's own table of types.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}

// isolate sets what every answer with a page or its files says. The two Cross-Origin
// policies make a page cross-origin isolated, so that its sound may go through
// shared memory.
func isolate(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// servePage shows the page of a room, or of all rooms if room is empty. It says
// the same whatever happens in the room, so an audience that arrives in one minute
// costs no look at it.
func servePage(w http.ResponseWriter, req *http.Request, r Relay, room string) {
	name := "room.html"
	if room == "" {
		name = "index.html"
	}
	var b bytes.Buffer
	if err := theSite.pages.ExecuteTemplate(&b, name, map[string]any{"Room": room, "Open": r.Open()}); err != nil {
		writeError(w, http.StatusInternalServerError, "internal", "the page could not be made")
		return
	}
	isolate(w.Header())
	w.Header().Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
	// Asked for each time, and answered with 304 nearly always: a page never names
	// files of another version than the relay has.
	w.Header().Set("Cache-Control", "no-cache")
	page := newAsset(b.Bytes()) // too short to be worth packing at each visit
	page.kind = "text/html; charset=utf-8"
	serve(w, req, page)
}

// serveAsset gives a file that a page named. Under the version that it has it may be
// kept for ever; under another one, the page came from a relay of another version.
func serveAsset(w http.ResponseWriter, req *http.Request) {
	a := theSite.assets[req.PathValue("file")]
	if a == nil {
		writeError(w, http.StatusNotFound, "not_found", "there is nothing at "+req.Method+" "+clip(req.URL.Path))
		return
	}
	isolate(w.Header())
	if req.URL.Query().Get("v") == a.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	serve(w, req, a)
}

func serve(w http.ResponseWriter, req *http.Request, a *asset) {
	h := w.Header()
	body, tag := a.plain, a.version
	h.Set("Vary", "Accept-Encoding")
	if a.gzip != nil && acceptsGzip(req) {
		body, tag = a.gzip, a.version+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", a.kind)
	h.Set("ETag", `"`+tag+`"`)
	if matches(req.Header.Get("If-None-Match"), h.Get("ETag")) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if req.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that is gone needs no answer
	}
}

// acceptsGzip reads Accept-Encoding as browsers write it; an encoding with q=0 is
// one that is not wanted.
func acceptsGzip(req *http.Request) bool {
	for wish := range strings.SplitSeq(req.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(wish), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return !strings.HasPrefix(strings.TrimSpace(quality), "q=0") || strings.Contains(quality, "q=0.")
		}
	}
	return false
}

// matches compares weakly (RFC 9110 §13.1.2): caches on the way add W/.
func matches(wishes, tag string) bool {
	for wish := range strings.SplitSeq(wishes, ",") {
		if wish = strings.TrimSpace(wish); wish == "*" || strings.TrimPrefix(wish, "W/") == tag {
			return true
		}
	}
	return false
}
