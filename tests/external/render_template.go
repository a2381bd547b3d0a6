// Renders templates with Go's own text/template, as Ollama does up to the reply.
package main

import (
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

func main() {
	var asked []struct{ Template, System, Prompt string }
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	told := make([]string, len(asked))
	for i, one := range asked {
		before, _, _ := strings.Cut(one.Template, "{{ .Response }}")
		var out strings.Builder
		if err := template.Must(template.New("").Parse(before)).Execute(&out, one); err != nil {
			panic(err)
		}
		told[i] = out.String()
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		panic(err)
	}
}
