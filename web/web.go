// Package web holds the pages that a relay serves, as `npm run build` made them of
// page/ and src/: dist/ is in the repository, so that building a relay needs no
// Node. It decides nothing about how they are served.
package web

import "embed"

// Pages are the built files: room.html and index.html, which are html/template
// texts, and what they name in assets/.
//
//go:embed dist/index.html dist/room.html dist/assets
var Pages embed.FS
