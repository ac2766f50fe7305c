FROM a
RUN <<EOF
text
 EOF
