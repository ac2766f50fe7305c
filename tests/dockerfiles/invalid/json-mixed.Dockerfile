FROM a
CMD ["a", 1]
COPY [1, 2]
SHELL [null]
