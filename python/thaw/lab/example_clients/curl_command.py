"""The command line tool curl: a process, and so a connection, for each payload."""

from thaw import lab

curl = lab.arm("curl", "a process of curl for each payload")(
    lab.Command(
        "curl --silent --show-error --cacert {ca_file} --header @{headers_file} --data-binary @{body_file}"
        " --output /dev/null --write-out %{http_code} --max-time {timeout} {url}"
    )
)
