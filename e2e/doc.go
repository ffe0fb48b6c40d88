// Package e2e tests the program as it is shipped: cmd/stentor is built once,
// started like a user would, and heard by its own listeners and by a browser. It
// has nothing but tests.
package e2e
