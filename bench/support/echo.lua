-- What wrk sends in the scenario echo: 4 KiB of content.
wrk.method = "POST"
wrk.body = string.rep("e", 4096)
wrk.headers["content-type"] = "application/octet-stream"
