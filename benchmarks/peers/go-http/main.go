// net/http: `go-http <port> <payload.json>` prints "ready" and serves until it is killed.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
)

type item struct {
	ID    int      `json:"id"`
	Name  string   `json:"name"`
	Price float64  `json:"price"`
	Stock int      `json:"stock"`
	Tags  []string `json:"tags"`
}

type payload struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Items []item `json:"items"`
	Text  string `json:"text"`
}

func answer(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	text, err := os.ReadFile(os.Args[2])
	must(err)
	var object payload
	must(json.Unmarshal(text, &object))
	hello := []byte("Hello World\n")
	large := []byte(strings.Repeat("x", 65536))

	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, "text/plain", hello)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.Marshal(object)
		must(err)
		answer(w, "application/json", body)
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, "text/plain", large)
	})
	mux.HandleFunc("/length", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		must(err)
		answer(w, "text/plain", []byte(strconv.Itoa(len(body))))
	})

	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	must(err)
	fmt.Println("ready")
	must(http.Serve(listener, mux))
}
