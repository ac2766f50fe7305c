//! A tree of Dockerfiles as large repositories have them.

/// Writes `count` Dockerfiles of five kinds, with what they copy, one folder each.
pub fn tree(count: usize, mut write: impl FnMut(&str, &str)) {
    for number in 0..count {
        let folder = format!("services/team-{}/service-{number}", number % 20);
        let text = match number % 5 {
            0 => format!(
                "FROM golang:1.22-alpine AS builder\nARG VERSION=1.{number}.0\nWORKDIR /src\nCOPY go.mod main.go ./\n\
                 RUN CGO_ENABLED=0 go build -trimpath -ldflags \"-X main.version=${{VERSION}}\" -o /out/service .\n\n\
                 FROM gcr.io/distroless/static-debian12:nonroot\nCOPY --from=builder /out/service /usr/bin/service-{number}\n\
                 EXPOSE {}\nENTRYPOINT [\"/usr/bin/service-{number}\"]\n",
                8000 + number
            ),
            1 => format!(
                "FROM alpine:3.20\nRUN apk add --no-cache curl socat\nCOPY run.sh /usr/local/bin/run-{number}.sh\nUSER nobody\n\
                 ENTRYPOINT [\"/usr/local/bin/run-{number}.sh\"]\nCMD [\"--interval\", \"30s\"]\n"
            ),
            2 => format!(
                "FROM debian:bookworm-slim\nRUN apt-get update \\\n && apt-get install -y --no-install-recommends ca-certificates git \\\n \
                 && rm -rf /var/lib/apt/lists/*\nENV LANG=C.UTF-8 SERVICE={number}\nCOPY run.sh /run.sh\nEXPOSE 9000/udp\n\
                 HEALTHCHECK --interval=30s CMD [\"/run.sh\", \"--health\"]\nCMD [\"/run.sh\"]\n"
            ),
            3 => format!(
                "ARG TAG=3.12-slim\nFROM python:${{TAG}}\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n\
                 COPY . .\nUSER 1000:1000\nVOLUME /data\nLABEL org.opencontainers.image.version=2.{number}.1\nCMD [\"python\", \"-m\", \"app\"]\n"
            ),
            _ => "# syntax=docker/dockerfile:1\nFROM busybox:1.36\nCOPY <<EOF /etc/motd\nhello\nEOF\nCMD echo hello\n"
                .to_owned(),
        };
        write(&format!("{folder}/Dockerfile"), &text);
        for (name, text) in [
            ("go.mod", "module example.com/service\n"),
            ("main.go", "package main\n\nfunc main() {}\n"),
            ("run.sh", "#!/bin/sh\nexec sleep 1\n"),
            ("requirements.txt", "flask\n"),
        ] {
            write(&format!("{folder}/{name}"), text);
        }
    }
}
