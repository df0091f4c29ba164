# plane-sync as a container: see README.md. Built in the larger image, which has what better-sqlite3 may have to be
# compiled with.
FROM node:20.19-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY build.js tsconfig.json tsconfig.build.json ./
COPY page page
COPY src src
RUN npm run build
# What runs are the dependencies and all peers, the command line's too, in the versions of the lockfile.
RUN npm pkg delete devDependencies peerDependenciesMeta && npm prune

FROM node:20.19-bookworm-slim
ENV NODE_ENV=production \
    ORCH_HOST=0.0.0.0 \
    ORCH_DATABASE_URL=/data/plane-sync.sqlite
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# A new volume has the owner of the folder that it covers.
RUN install -d -o node -g node -m 700 /data
USER node
VOLUME /data
EXPOSE 8500
# `live`, and not `status`: no restart brings back a Plane that is away. An env file may set another port.
HEALTHCHECK --start-period=20s --interval=30s --timeout=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.ORCH_PORT || 8500) + '/health').then((r) => r.json()).then((h) => process.exit(h.live ? 0 : 1), () => process.exit(1))"]
# Started with `docker run --init`, it also cleans up after agents that were left behind.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
