package api

import (
	"io"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Admin returns the HTTP for the operator: metrics, health, the network, drains
// and profiles.
func Admin(registry *prometheus.Registry, r Operated) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "alive\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !r.TakesNewcomers() {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "takes no newcomers", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	mux.HandleFunc("GET /v1/members", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"members": r.Members()})
	})
	mux.HandleFunc("GET /v1/tree", func(w http.ResponseWriter, req *http.Request) { serveTree(w, req, r) })
	mux.HandleFunc("POST /v1/drain", func(w http.ResponseWriter, req *http.Request) { serveDrain(w, req, r) })
	mux.HandleFunc("POST /v1/undrain", func(w http.ResponseWriter, req *http.Request) { serveUndrain(w, req, r) })
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		writeError(w, http.StatusNotFound, "not_found", "there is nothing at "+req.Method+" "+clip(req.URL.Path))
	})
	return limitBody(mux)
}
