// Package report writes what a measurement has found as one HTML file: figures,
// promises, plots, heat maps, trees and a table. All of it is drawn here, as SVG
// within the page; the file loads nothing, runs no script and reads well in light
// and in dark. It knows nothing of what was measured.
package report
