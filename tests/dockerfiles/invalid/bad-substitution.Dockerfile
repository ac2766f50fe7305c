FROM scratch
ENV a=${} b=${a
ENV c=${a^b}
ENV d=${a:=b}
