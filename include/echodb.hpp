/*
 * echo-db for C++17: header-only, over echodb.h, whose comments describe every call.
 *
 * Handles are move-only and free themselves. Failures throw echodb::Error. Strings go in as
 * std::string_view and come back as std::string; records come back as JSON. What is asked, as a
 * query or filter, is JSON too, or built by echodb_query.hpp. Listeners are
 * std::function; an exception from one is logged and changes nothing. They run on threads of the
 * library: see the essay in echodb.h. A moved-from handle may only be destroyed or assigned to.
 */
#ifndef ECHODB_HPP
#define ECHODB_HPP

#include "echodb.h"
#include "echodb_query.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace echodb {

/** What a failed call throws. */
class Error : public std::runtime_error {
  public:
    Error(echodb_status status, const std::string &message, bool retryable)
        : std::runtime_error(message), status_(status), retryable_(retryable) {}

    /** One of the status numbers of echodb.h. */
    echodb_status status() const noexcept { return status_; }

    /** Whether the same call may succeed later without being changed. */
    bool retryable() const noexcept { return retryable_; }

  private:
    echodb_status status_;
    bool retryable_;
};

/** A time limit; none waits as long as it takes. */
using Timeout = std::optional<std::chrono::milliseconds>;

/** Receives a batch of changes as JSON. */
using ChangeListener = std::function<void(std::string_view json)>;

/** Receives a batch of a live query as JSON, in the form of `echodb_live_callback`. */
using LiveListener = std::function<void(std::string_view json)>;

/** Receives an invitation's state and its update as JSON. */
using InvitationListener = std::function<void(int32_t state, std::string_view json)>;

/** Receives what changed about the identity, an `ECHODB_IDENTITY_` number. */
using IdentityListener = std::function<void(int32_t change)>;
/** Hears what becomes of a space's members: JSON as `echodb_member_callback` gets it. */
using MemberListener = std::function<void(std::string_view json)>;

/** Receives a fetch's state and its progress as JSON. */
using BlobListener = std::function<void(int32_t state, std::string_view json)>;

/** Receives a log record: level, milliseconds since 1970, part of the library, line. */
using LogListener =
    std::function<void(int32_t level, uint64_t time_ms, std::string_view target,
                       std::string_view text)>;

/**
 * Keeps a key for a profile in a place of the system's that is safer than its files. An exception
 * makes opening fail with ECHODB_KEY_UNAVAILABLE.
 */
struct KeyProvider {
    /** The 32 bytes that were stored for a profile, if any were. */
    std::function<std::optional<std::array<uint8_t, 32>>(std::string_view profile)> load;
    /** Stores them, so that they last. */
    std::function<void(std::string_view profile, const std::array<uint8_t, 32> &key)> store;
};

/**
 * Gives an object's new fields, a JSON object, from its id, the version of the schema it carries, if
 * any, and its fields; nothing leaves it as it is, an exception counts it as failed.
 */
using Migration = std::function<std::optional<std::string>(
    std::string_view id, std::optional<uint32_t> version, std::string_view fields)>;

/** Hears that an operation completed, with its status. */
using CompletionListener = std::function<void(echodb_status status)>;

namespace detail {

template <typename T, void (*Free)(T *)> struct Deleter {
    void operator()(T *handle) const noexcept { Free(handle); }
};

template <typename T, void (*Free)(T *)> using Owned = std::unique_ptr<T, Deleter<T, Free>>;

using Buffer = Owned<echodb_buffer, echodb_buffer_free>;
using ErrorHandle = Owned<echodb_error, echodb_error_free>;

/** Calls `call(error)` and throws what it reports. */
template <typename Call> void check(Call &&call) {
    echodb_error *raw = nullptr;
    const echodb_status status = call(&raw);
    const ErrorHandle error(raw);
    if (status != ECHODB_OK) {
        throw Error(status, echodb_error_message(error.get()), echodb_error_retryable(error.get()));
    }
}

/** The bytes that a string holds. */
inline const uint8_t *bytes(std::string_view held) noexcept {
    return reinterpret_cast<const uint8_t *>(held.data());
}

/** Calls `call(out, error)` and gives the new handle. */
template <typename T, typename Call> T *make(Call &&call) {
    T *out = nullptr;
    check([&](echodb_error **error) { return call(&out, error); });
    return out;
}

/** Calls `call(out, error)` and gives the bytes. */
template <typename Call> std::string text(Call &&call) {
    const Buffer buffer(make<echodb_buffer>(std::forward<Call>(call)));
    return std::string(echodb_buffer_data(buffer.get()), echodb_buffer_len(buffer.get()));
}

inline int64_t milliseconds(Timeout timeout) {
    // A negative limit would mean none; one that has passed means not to wait.
    return timeout ? (timeout->count() < 0 ? 0 : static_cast<int64_t>(timeout->count())) : -1;
}

template <typename Listener> void destroy(void *listener) {
    delete static_cast<Listener *>(listener);
}

/** A listener on its way to the library, which frees it whatever comes of the call. */
template <typename Listener> void *give(Listener listener) {
    return new Listener(std::move(listener));
}

/** Runs a listener; exceptions stop here. */
template <typename Run> echodb_status contain(Run &&run) noexcept {
    try {
        run();
        return ECHODB_OK;
    } catch (...) {
        return ECHODB_CALLBACK;
    }
}

inline echodb_status on_change(void *data, const char *json, size_t len) {
    return contain([&] { (*static_cast<ChangeListener *>(data))({json, len}); });
}

inline echodb_status on_live(void *data, const char *json, size_t len) {
    return contain([&] { (*static_cast<LiveListener *>(data))({json, len}); });
}

inline uint32_t interval(std::chrono::milliseconds time) {
    const int64_t ms = time.count();
    return ms < 0 || ms > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(ms);
}

inline echodb_status on_invitation(void *data, int32_t state, const char *json, size_t len) {
    return contain([&] { (*static_cast<InvitationListener *>(data))(state, {json, len}); });
}

inline echodb_status on_identity(void *data, int32_t change) {
    return contain([&] { (*static_cast<IdentityListener *>(data))(change); });
}

inline echodb_status on_migrate(void *data, const char *id, size_t id_len, uint32_t version,
                                const char *fields, size_t fields_len, echodb_migrated *out) {
    return contain([&] {
        const auto carried = version == 0 ? std::nullopt : std::optional<uint32_t>(version);
        const auto migrated =
            (*static_cast<Migration *>(data))({id, id_len}, carried, {fields, fields_len});
        if (migrated) {
            check([&](echodb_error **error) {
                return echodb_migrated_set_fields(out, migrated->data(), migrated->size(), error);
            });
        }
    });
}

inline echodb_status on_blob(void *data, int32_t state, const char *json, size_t len) {
    return contain([&] { (*static_cast<BlobListener *>(data))(state, {json, len}); });
}

inline echodb_status on_member(void *data, const char *json, size_t len) {
    return contain([&] { (*static_cast<MemberListener *>(data))({json, len}); });
}

inline void on_log(void *data, int32_t level, uint64_t time_ms, const char *target,
                   size_t target_len, const char *text, size_t text_len) {
    (void)contain([&] {
        (*static_cast<LogListener *>(data))(level, time_ms, {target, target_len},
                                            {text, text_len});
    });
}

inline echodb_status on_key_load(void *data, const char *profile, size_t len, uint8_t *key) {
    echodb_status status = ECHODB_OK;
    const echodb_status failed = contain([&] {
        const auto found = static_cast<KeyProvider *>(data)->load({profile, len});
        if (!found) {
            status = ECHODB_NOT_FOUND;
            return;
        }
        std::copy(found->begin(), found->end(), key);
    });
    return failed == ECHODB_OK ? status : failed;
}

inline echodb_status on_key_store(void *data, const char *profile, size_t len,
                                  const uint8_t *key) {
    return contain([&] {
        std::array<uint8_t, 32> copy{};
        std::copy(key, key + copy.size(), copy.begin());
        static_cast<KeyProvider *>(data)->store({profile, len}, copy);
    });
}

inline void on_complete(void *data, echodb_status status, const char *) {
    (void)contain([&] { (*static_cast<CompletionListener *>(data))(status); });
}

} // namespace detail

/** The library's version. */
inline std::string version() { return echodb_version(); }

/** The version of the binary interface that the library has. */
inline uint32_t abi_version() { return echodb_abi_version(); }

/** Whether the library was built with a feature. */
inline bool has_feature(std::string_view name) {
    return echodb_has_feature(name.data(), name.size());
}

/** The number of handles, buffers and errors that exist. */
inline size_t live_handles() { return echodb_live_handles(); }

/** A status as a word. */
inline std::string status_name(echodb_status status) { return echodb_status_name(status); }

/** Options of a client. */
class ClientOptions {
  public:
    ClientOptions() : handle_(detail::make<echodb_client_options>(echodb_client_options_new)) {}

    ClientOptions &profile(std::string_view path) {
        detail::check([&](echodb_error **error) {
            return echodb_client_options_set_profile(get(), path.data(), path.size(), error);
        });
        return *this;
    }

    ClientOptions &add_signaling(std::string_view url) {
        detail::check([&](echodb_error **error) {
            return echodb_client_options_add_signaling(get(), url.data(), url.size(), error);
        });
        return *this;
    }

    ClientOptions &add_ice_server(std::string_view url, std::string_view username = {},
                                  std::string_view credential = {}) {
        detail::check([&](echodb_error **error) {
            return echodb_client_options_add_ice_server(get(), url.data(), url.size(),
                                                        username.data(), username.size(),
                                                        credential.data(), credential.size(),
                                                        error);
        });
        return *this;
    }

    ClientOptions &add_bind(std::string_view address) {
        detail::check([&](echodb_error **error) {
            return echodb_client_options_add_bind(get(), address.data(), address.size(), error);
        });
        return *this;
    }

    ClientOptions &online(bool online) {
        detail::check([&](echodb_error **error) {
            return echodb_client_options_set_online(get(), online, error);
        });
        return *this;
    }

    ClientOptions &coalesce(std::chrono::milliseconds time) {
        const int64_t ms = time.count();
        detail::check([&](echodb_error **error) {
            const uint32_t bounded =
                ms < 0 || ms > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(ms);
            return echodb_client_options_set_coalesce_ms(get(), bounded, error);
        });
        return *this;
    }

    /** How many bytes of memory open spaces may use together for what they have read. */
    ClientOptions &cache_bytes(uint64_t bytes) {
        detail::check([&](echodb_error **error) {
            return echodb_client_options_set_cache_bytes(get(), bytes, error);
        });
        return *this;
    }

    /** The passphrase of the profile's files. */
    ClientOptions &passphrase(std::string_view passphrase) {
        detail::check([&](echodb_error **error) {
            return echodb_client_options_set_passphrase(get(), passphrase.data(),
                                                        passphrase.size(), error);
        });
        return *this;
    }

    /** Who keeps a key for the profile; used where there is no passphrase. */
    ClientOptions &key_provider(KeyProvider provider) {
        void *data = detail::give(std::move(provider));
        detail::check([&](echodb_error **error) {
            return echodb_client_options_set_key_provider(
                get(), detail::on_key_load, detail::on_key_store, data,
                detail::destroy<KeyProvider>, error);
        });
        return *this;
    }

    /** Whether the profile's files are encrypted: an ECHODB_ENCRYPTION_ number. */
    ClientOptions &encryption(int32_t encryption) {
        detail::check([&](echodb_error **error) {
            return echodb_client_options_set_encryption(get(), encryption, error);
        });
        return *this;
    }

    ClientOptions &log(int32_t level, LogListener listener) {
        void *data = detail::give(std::move(listener));
        detail::check([&](echodb_error **error) {
            return echodb_client_options_set_log(get(), level, detail::on_log, data,
                                                 detail::destroy<LogListener>, error);
        });
        return *this;
    }

    echodb_client_options *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_client_options, echodb_client_options_free> handle_;
};

/** How a space invites. */
class InviteOptions {
  public:
    InviteOptions() : handle_(detail::make<echodb_invite_options>(echodb_invite_options_new)) {}

    InviteOptions &expires(std::chrono::seconds time) {
        detail::check([&](echodb_error **error) {
            const auto seconds = static_cast<uint64_t>(time.count());
            return echodb_invite_options_set_expires_s(get(), seconds, error);
        });
        return *this;
    }

    /** How many guests may come in; more than one makes it a multi-use invitation. */
    InviteOptions &max_uses(uint32_t guests) {
        detail::check([&](echodb_error **error) {
            return echodb_invite_options_set_max_uses(get(), guests, error);
        });
        return *this;
    }

    /** Whether any member who is online lets in whoever has the code. */
    InviteOptions &delegated(bool delegated) {
        detail::check([&](echodb_error **error) {
            return echodb_invite_options_set_delegated(get(), delegated, error);
        });
        return *this;
    }

    /** The role that guests get. */
    InviteOptions &role(std::string_view role) {
        detail::check([&](echodb_error **error) {
            return echodb_invite_options_set_role(get(), role.data(), role.size(), error);
        });
        return *this;
    }

    InviteOptions &include_signaling(bool include) {
        detail::check([&](echodb_error **error) {
            return echodb_invite_options_set_include_signaling(get(), include, error);
        });
        return *this;
    }

    /** Whether guests can read what was written before. */
    InviteOptions &history(bool history) {
        detail::check([&](echodb_error **error) {
            return echodb_invite_options_set_history(get(), history, error);
        });
        return *this;
    }

    echodb_invite_options *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_invite_options, echodb_invite_options_free> handle_;
};

/** How a code is used. */
class JoinOptions {
  public:
    JoinOptions() : handle_(detail::make<echodb_join_options>(echodb_join_options_new)) {}

    JoinOptions &timeout(std::chrono::seconds time) {
        detail::check([&](echodb_error **error) {
            const auto seconds = static_cast<uint64_t>(time.count());
            return echodb_join_options_set_timeout_s(get(), seconds, error);
        });
        return *this;
    }

    /** What this device is called, for `Client::join_device`. */
    JoinOptions &device_name(std::string_view name) {
        detail::check([&](echodb_error **error) {
            return echodb_join_options_set_device_name(get(), name.data(), name.size(), error);
        });
        return *this;
    }

    echodb_join_options *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_join_options, echodb_join_options_free> handle_;
};

/** How an identity is recovered. */
class RecoverOptions {
  public:
    RecoverOptions()
        : handle_(detail::make<echodb_recover_options>(echodb_recover_options_new)) {}

    RecoverOptions &device_name(std::string_view name) {
        detail::check([&](echodb_error **error) {
            return echodb_recover_options_set_device_name(get(), name.data(), name.size(), error);
        });
        return *this;
    }

    /** Revokes every device that the identity had before. */
    RecoverOptions &revoke_older(bool revoke) {
        detail::check([&](echodb_error **error) {
            return echodb_recover_options_set_revoke_older(get(), revoke, error);
        });
        return *this;
    }

    RecoverOptions &timeout(std::chrono::seconds time) {
        detail::check([&](echodb_error **error) {
            const auto seconds = static_cast<uint64_t>(time.count());
            return echodb_recover_options_set_timeout_s(get(), seconds, error);
        });
        return *this;
    }

    echodb_recover_options *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_recover_options, echodb_recover_options_free> handle_;
};

class Client;

/** Long work. Destroying it cancels what has not completed. */
class Operation {
  public:
    explicit Operation(echodb_operation *handle) noexcept : handle_(handle) {}

    bool is_done() const noexcept { return echodb_operation_is_done(get()); }

    /** Waits for the end; false if the time ran out before it. */
    bool wait(Timeout timeout = std::nullopt) const {
        try {
            detail::check([&](echodb_error **error) {
                return echodb_operation_wait(get(), detail::milliseconds(timeout), error);
            });
            return true;
        } catch (const Error &error) {
            if (error.status() == ECHODB_TIMED_OUT) {
                return false;
            }
            throw;
        }
    }

    /** Throws what the operation failed with, if it did. */
    void result() const {
        detail::check(
            [&](echodb_error **error) { return echodb_operation_result(get(), error); });
    }

    /** The text it led to; once. */
    std::string take_text() const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_operation_take_text(get(), out, error);
        });
    }

    /** The client it led to; once. */
    inline Client take_client() const;

    void on_complete(CompletionListener listener) const {
        void *data = detail::give(std::move(listener));
        detail::check([&](echodb_error **error) {
            return echodb_operation_on_complete(get(), detail::on_complete, data,
                                                detail::destroy<CompletionListener>, error);
        });
    }

    void cancel() const noexcept { echodb_operation_cancel(get()); }

    echodb_operation *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_operation, echodb_operation_free> handle_;
};

/** A running subscription. Destroying it ends it. */
class Subscription {
  public:
    explicit Subscription(echodb_subscription *handle) noexcept : handle_(handle) {}

    /** The descriptor of a queue, readable while a batch waits. */
    int fd() const {
        int32_t fd = -1;
        detail::check([&](echodb_error **error) {
            return echodb_subscription_fd(get(), &fd, error);
        });
        return fd;
    }

    /** The batch that waits in a queue, as JSON. */
    std::optional<std::string> next() const {
        const detail::Buffer buffer(
            detail::make<echodb_buffer>([&](echodb_buffer **out, echodb_error **error) {
                return echodb_subscription_next(get(), out, error);
            }));
        if (!buffer) {
            return std::nullopt;
        }
        return std::string(echodb_buffer_data(buffer.get()), echodb_buffer_len(buffer.get()));
    }

    void cancel() const noexcept { echodb_subscription_cancel(get()); }

    echodb_subscription *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_subscription, echodb_subscription_free> handle_;
};

/** A running live query. Destroying it ends it. */
class LiveQuery {
  public:
    explicit LiveQuery(echodb_live_query *handle) noexcept : handle_(handle) {}

    /** The descriptor of a live query without a listener, readable while a batch may be fetched. */
    int fd() const {
        int32_t fd = -1;
        detail::check(
            [&](echodb_error **error) { return echodb_live_query_fd(get(), &fd, error); });
        return fd;
    }

    /** What changed since the last batch, if anything did. */
    std::optional<std::string> next() const {
        const detail::Buffer buffer(
            detail::make<echodb_buffer>([&](echodb_buffer **out, echodb_error **error) {
                return echodb_live_query_next(get(), out, error);
            }));
        if (!buffer) {
            return std::nullopt;
        }
        return std::string(echodb_buffer_data(buffer.get()), echodb_buffer_len(buffer.get()));
    }

    void cancel() const noexcept { echodb_live_query_cancel(get()); }

    echodb_live_query *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_live_query, echodb_live_query_free> handle_;
};

/** Either side of an invitation. Destroying the handle does not end it. */
class Invitation {
  public:
    explicit Invitation(echodb_invitation *handle) noexcept : handle_(handle) {}

    std::string code() const { return text(echodb_invitation_code); }
    std::string url() const { return text(echodb_invitation_url); }
    std::string update() const { return text(echodb_invitation_update); }
    std::string auth_code() const { return text(echodb_invitation_auth_code); }
    std::string id() const { return text(echodb_invitation_id); }
    /** The URL as a QR code, an SVG picture. */
    std::string qr_svg() const { return text(echodb_invitation_qr_svg); }
    /** The URL as a QR code's modules, one byte each, as many rows as columns. */
    std::string qr_modules() const { return text(echodb_invitation_qr_modules); }

    int32_t state() const {
        int32_t state = 0;
        detail::check([&](echodb_error **error) {
            return echodb_invitation_state(get(), &state, error);
        });
        return state;
    }

    void authenticate(std::string_view auth_code) const {
        detail::check([&](echodb_error **error) {
            return echodb_invitation_authenticate(get(), auth_code.data(), auth_code.size(),
                                                  error);
        });
    }

    void cancel() const noexcept { echodb_invitation_cancel(get()); }

    Subscription subscribe(InvitationListener listener) const {
        void *data = detail::give(std::move(listener));
        return Subscription(detail::make<echodb_subscription>(
            [&](echodb_subscription **out, echodb_error **error) {
                return echodb_invitation_subscribe(get(), detail::on_invitation, data,
                                                   detail::destroy<InvitationListener>, out,
                                                   error);
            }));
    }

    /** Waits for the end and gives the space's id. */
    std::string wait(Timeout timeout = std::nullopt) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_invitation_wait(get(), detail::milliseconds(timeout), out, error);
        });
    }

    Operation wait_start() const {
        return Operation(
            detail::make<echodb_operation>([&](echodb_operation **out, echodb_error **error) {
                return echodb_invitation_wait_start(get(), out, error);
            }));
    }

    /** Waits until the state is another one and gives the update. */
    std::string wait_change(int32_t state, Timeout timeout = std::nullopt) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_invitation_wait_change(get(), state, detail::milliseconds(timeout),
                                                 out, error);
        });
    }

    echodb_invitation *get() const noexcept { return handle_.get(); }

  private:
    template <typename Call> std::string text(Call call) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return call(get(), out, error);
        });
    }

    detail::Owned<echodb_invitation, echodb_invitation_free> handle_;
};

/** Steps that take effect together. One that is destroyed before its commit never happened. */
class Transaction {
  public:
    explicit Transaction(echodb_transaction *handle) noexcept : handle_(handle) {}

    /** Adds an object and gives its id. */
    std::string create(std::string_view type_name, std::string_view fields) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_transaction_create(get(), optional(type_name), type_name.size(),
                                             fields.data(), fields.size(), out, error);
        });
    }

    void create_with_id(std::string_view id, std::string_view type_name,
                        std::string_view fields) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_create_with_id(get(), id.data(), id.size(),
                                                     optional(type_name), type_name.size(),
                                                     fields.data(), fields.size(), error);
        });
    }

    void update(std::string_view id, std::string_view fields) const {
        step(echodb_transaction_update, id, fields);
    }

    void set(std::string_view id, std::string_view path, std::string_view value) const {
        step(echodb_transaction_set, id, path, value);
    }

    void insert(std::string_view id, std::string_view path, std::string_view value) const {
        step(echodb_transaction_insert, id, path, value);
    }

    void remove(std::string_view id, std::string_view path) const {
        step(echodb_transaction_remove, id, path);
    }

    void splice_text(std::string_view id, std::string_view path, uint64_t position,
                     uint64_t delete_len, std::string_view insert) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_splice_text(get(), id.data(), id.size(), path.data(),
                                                  path.size(), position, delete_len,
                                                  insert.data(), insert.size(), error);
        });
    }

    void increment(std::string_view id, std::string_view path, int64_t by) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_increment(get(), id.data(), id.size(), path.data(),
                                                path.size(), by, error);
        });
    }

    /** Makes, or sets fields of, the object that a natural key names, and gives its id. */
    std::string create_with_key(std::string_view type_name, std::string_view key,
                                std::string_view fields) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_transaction_create_with_key(get(), type_name.data(), type_name.size(),
                                                      key.data(), key.size(), fields.data(),
                                                      fields.size(), out, error);
        });
    }

    void move_item(std::string_view id, std::string_view path, uint64_t to) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_move_item(get(), id.data(), id.size(), path.data(),
                                                path.size(), to, error);
        });
    }

    /** `expand` is one of ECHODB_MARK_EXPAND_…; a value of `null` clears the mark. */
    void mark(std::string_view id, std::string_view path, uint64_t start, uint64_t end,
              std::string_view name, std::string_view value,
              int32_t expand = ECHODB_MARK_EXPAND_AFTER) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_mark(get(), id.data(), id.size(), path.data(), path.size(),
                                           start, end, name.data(), name.size(), value.data(),
                                           value.size(), expand, error);
        });
    }

    /** The commit fails with ECHODB_CONFLICT unless the object is at the version `heads`, a JSON
     * array; an empty one: unless it does not exist. */
    void only_if(std::string_view id, std::string_view heads) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_only_if(get(), id.data(), id.size(), heads.data(),
                                              heads.size(), error);
        });
    }

    /** Transactions of one group that follow each other are undone at once. */
    void group(std::string_view name) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_group(get(), name.data(), name.size(), error);
        });
    }

    /** An empty end is none. */
    void relate(std::string_view id, std::string_view source, std::string_view target) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_relate(get(), id.data(), id.size(), optional(source),
                                             source.size(), optional(target), target.size(), error);
        });
    }

    void tag(std::string_view id, std::string_view tag) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_tag(get(), id.data(), id.size(), tag.data(), tag.size(),
                                          error);
        });
    }

    void untag(std::string_view id, std::string_view tag) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_untag(get(), id.data(), id.size(), tag.data(), tag.size(),
                                            error);
        });
    }

    /** An empty key forgets it. */
    void set_key(std::string_view id, std::string_view source, std::string_view key) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_set_key(get(), id.data(), id.size(), source.data(),
                                              source.size(), optional(key), key.size(), error);
        });
    }

    /** An empty parent clears it. */
    void set_parent(std::string_view id, std::string_view parent) const {
        detail::check([&](echodb_error **error) {
            return echodb_transaction_set_parent(get(), id.data(), id.size(), optional(parent),
                                                 parent.size(), error);
        });
    }

    // `delete` is a word of the language.
    void delete_object(std::string_view id) const { step(echodb_transaction_delete, id); }
    void restore(std::string_view id) const { step(echodb_transaction_restore, id); }
    void at(std::string_view heads) const { step(echodb_transaction_at, heads); }
    void message(std::string_view text) const { step(echodb_transaction_message, text); }

    std::string commit() const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_transaction_commit(get(), out, error);
        });
    }

    void cancel() const noexcept { echodb_transaction_cancel(get()); }

    echodb_transaction *get() const noexcept { return handle_.get(); }

    /** In C nothing is told from the empty string by NULL; in a view both are empty. */
    static const char *optional(std::string_view text) noexcept {
        return text.empty() ? nullptr : text.data();
    }

  private:
    template <typename Call> void step(Call call, std::string_view a) const {
        detail::check([&](echodb_error **error) {
            return call(get(), a.data(), a.size(), error);
        });
    }

    template <typename Call>
    void step(Call call, std::string_view a, std::string_view b) const {
        detail::check([&](echodb_error **error) {
            return call(get(), a.data(), a.size(), b.data(), b.size(), error);
        });
    }

    template <typename Call>
    void step(Call call, std::string_view a, std::string_view b, std::string_view c) const {
        detail::check([&](echodb_error **error) {
            return call(get(), a.data(), a.size(), b.data(), b.size(), c.data(), c.size(),
                        error);
        });
    }

    detail::Owned<echodb_transaction, echodb_transaction_free> handle_;
};

/** A blob being written. One that is destroyed before its end is given up. */
class BlobWriter {
  public:
    explicit BlobWriter(echodb_blob_writer *handle) noexcept : handle_(handle) {}

    /** Adds bytes at the end. */
    void write(std::string_view bytes) const {
        detail::check([&](echodb_error **error) {
            return echodb_blob_writer_write(get(), detail::bytes(bytes),
                                            bytes.size(), error);
        });
    }

    uint64_t size() const noexcept { return echodb_blob_writer_size(get()); }

    /** Ends the writing and gives what is known of the blob, JSON. */
    std::string finish() const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_blob_writer_finish(get(), out, error);
        });
    }

    void cancel() const noexcept { echodb_blob_writer_cancel(get()); }

    echodb_blob_writer *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_blob_writer, echodb_blob_writer_free> handle_;
};

/** A blob on its way. Destroying the handle does not end it. */
class BlobFetch {
  public:
    explicit BlobFetch(echodb_blob_fetch *handle) noexcept : handle_(handle) {}

    /** Where it stands, JSON. */
    std::string progress() const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_blob_fetch_progress(get(), out, error);
        });
    }

    /** Waits until all of the blob is here and gives the progress. */
    std::string wait(Timeout timeout = std::nullopt) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_blob_fetch_wait(get(), detail::milliseconds(timeout), out, error);
        });
    }

    Operation wait_start(Timeout timeout = std::nullopt) const {
        return Operation(
            detail::make<echodb_operation>([&](echodb_operation **out, echodb_error **error) {
                return echodb_blob_fetch_wait_start(get(), detail::milliseconds(timeout), out,
                                                    error);
            }));
    }

    Subscription subscribe(BlobListener listener) const {
        void *data = detail::give(std::move(listener));
        return Subscription(detail::make<echodb_subscription>(
            [&](echodb_subscription **out, echodb_error **error) {
                return echodb_blob_fetch_subscribe(get(), detail::on_blob, data,
                                                   detail::destroy<BlobListener>, out, error);
            }));
    }

    void cancel() const noexcept { echodb_blob_fetch_cancel(get()); }

    echodb_blob_fetch *get() const noexcept { return handle_.get(); }

  private:
    detail::Owned<echodb_blob_fetch, echodb_blob_fetch_free> handle_;
};

/** A handle on a space. */
class Space {
  public:
    explicit Space(echodb_space *handle) noexcept : handle_(handle) {}

    std::string id() const { return text(echodb_space_id); }
    std::string info() const { return text(echodb_space_info); }
    std::string properties() const { return text(echodb_space_properties); }
    std::string digest() const { return text(echodb_space_digest); }
    std::string members() const { return text(echodb_space_members); }
    std::string status() const { return text(echodb_space_status); }
    std::string quarantined() const { return text(echodb_space_quarantined); }
    std::string excluded() const { return text(echodb_space_excluded); }
    std::string export_json() const { return text(echodb_space_export_json); }

    void open() const { call(echodb_space_open); }
    void close() const { call(echodb_space_close); }
    void flush() const { call(echodb_space_flush); }

    Operation flush_start() const {
        return Operation(
            detail::make<echodb_operation>([&](echodb_operation **out, echodb_error **error) {
                return echodb_space_flush_start(get(), out, error);
            }));
    }

    void set_properties(std::string_view properties) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_set_properties(get(), properties.data(), properties.size(),
                                               error);
        });
    }

    /** Makes an object and gives its id; an empty type name means none. */
    std::string create(std::string_view type_name, std::string_view fields) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_create(get(), Transaction::optional(type_name),
                                       type_name.size(), fields.data(), fields.size(), out,
                                       error);
        });
    }

    void update(std::string_view id, std::string_view fields) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_update(get(), id.data(), id.size(), fields.data(),
                                       fields.size(), error);
        });
    }

    // `delete` is a word of the language.
    void delete_object(std::string_view id) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_delete(get(), id.data(), id.size(), error);
        });
    }

    /** The object as JSON, if the space has it. */
    std::optional<std::string> get_object(std::string_view id) const {
        try {
            return detail::text([&](echodb_buffer **out, echodb_error **error) {
                return echodb_space_get(get(), id.data(), id.size(), out, error);
            });
        } catch (const Error &error) {
            if (error.status() == ECHODB_NOT_FOUND) {
                return std::nullopt;
            }
            throw;
        }
    }

    std::string query(std::string_view query) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_query(get(), query.data(), query.size(), out, error);
        });
    }

    /**
     * What a search for words finds, JSON, the best first; `options` is JSON, and empty means all
     * defaults.
     */
    std::string search(std::string_view words, std::string_view options = {}) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_search(get(), words.data(), words.size(),
                                       Transaction::optional(options), options.size(), out, error);
        });
    }

    /** Makes an index of a field; an empty type name means among all objects. */
    void create_index(std::string_view path, std::string_view type_name = {}) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_create_index(get(), Transaction::optional(type_name),
                                             type_name.size(), path.data(), path.size(), error);
        });
    }

    void drop_index(std::string_view path, std::string_view type_name = {}) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_drop_index(get(), Transaction::optional(type_name),
                                           type_name.size(), path.data(), path.size(), error);
        });
    }

    /** The indexes that were made, JSON. */
    std::string indexes() const { return text(echodb_space_indexes); }

    /**
     * One page of a query's results, JSON: `objects`, and `next`, which is the `after` of the next
     * page, or null.
     */
    std::string query_page(std::string_view query,
                           std::optional<std::string_view> after = std::nullopt) const {
        const auto from = after.value_or(std::string_view());
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_query_page(get(), query.data(), query.size(), from.data(),
                                           from.size(), out, error);
        });
    }

    /** Counts, sums and extremes over what a query finds, JSON. */
    std::string aggregate(std::string_view query) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_aggregate(get(), query.data(), query.size(), out, error);
        });
    }

    /** How a query or an aggregation is answered, JSON. */
    std::string explain(std::string_view query) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_explain(get(), query.data(), query.size(), out, error);
        });
    }

    /** A text field's present text. */
    std::string text_at(std::string_view id, std::string_view path) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_text(get(), id.data(), id.size(), path.data(), path.size(), out,
                                     error);
        });
    }

    /** The marks of a text, JSON. */
    std::string marks(std::string_view id, std::string_view path) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_marks(get(), id.data(), id.size(), path.data(), path.size(), out,
                                      error);
        });
    }

    /** A name for a place in a text, which `cursor_position` finds again after any edits. */
    std::string cursor(std::string_view id, std::string_view path, uint64_t position) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_cursor(get(), id.data(), id.size(), path.data(), path.size(),
                                       position, out, error);
        });
    }

    uint64_t cursor_position(std::string_view id, std::string_view path,
                             std::string_view cursor) const {
        uint64_t position = 0;
        detail::check([&](echodb_error **error) {
            return echodb_space_cursor_position(get(), id.data(), id.size(), path.data(),
                                                path.size(), cursor.data(), cursor.size(),
                                                &position, error);
        });
        return position;
    }

    /** The values that concurrent writes put in one place, JSON; the one in force comes last. */
    std::string conflicts(std::string_view id, std::string_view path) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_conflicts(get(), id.data(), id.size(), path.data(), path.size(),
                                          out, error);
        });
    }

    /** Undoes the last step of this device; JSON, see echodb_space_undo. Nothing if there is none. */
    std::optional<std::string> undo() const { return step_back(echodb_space_undo); }

    /** Undoes the last undo; likewise. */
    std::optional<std::string> redo() const { return step_back(echodb_space_redo); }

    /** The space's transactions before an entry, or all, the last first; JSON. */
    std::string log(uint32_t limit, std::string_view before = {}) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_log(get(), limit, before.empty() ? nullptr : before.data(),
                                    before.size(), out, error);
        });
    }

    /** An object as it was at a version, a JSON array. */
    std::string get_at(std::string_view id, std::string_view heads) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_get_at(get(), id.data(), id.size(), heads.data(), heads.size(),
                                       out, error);
        });
    }

    /** What leads from one version to another; JSON, positions in bytes. */
    std::string diff(std::string_view id, std::string_view from, std::string_view to) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_diff(get(), id.data(), id.size(), from.data(), from.size(),
                                     to.data(), to.size(), out, error);
        });
    }

    /** Makes an object as it was at a version, by a new change. */
    std::string restore_version(std::string_view id, std::string_view heads) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_restore_version(get(), id.data(), id.size(), heads.data(),
                                                heads.size(), out, error);
        });
    }

    /** Makes a branch of an object and gives its id. */
    std::string branch(std::string_view id, std::string_view name) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_branch(get(), id.data(), id.size(), name.data(), name.size(), out,
                                       error);
        });
    }

    /** The branches of an object, JSON. */
    std::string branches(std::string_view id) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_branches(get(), id.data(), id.size(), out, error);
        });
    }

    /** Brings what was done to a branch into the original. */
    std::string merge_branch(std::string_view branch) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_merge_branch(get(), branch.data(), branch.size(), out, error);
        });
    }

    /** Registers a JSON Schema as a version, or as the next one if that is 0; gives the version. */
    uint32_t register_schema(std::string_view type_name, std::string_view schema,
                             uint32_t version = 0) const {
        uint32_t registered = 0;
        detail::check([&](echodb_error **error) {
            return echodb_space_register_schema(get(), type_name.data(), type_name.size(),
                                                schema.data(), schema.size(), version,
                                                &registered, error);
        });
        return registered;
    }

    std::string schemas() const { return text(echodb_space_schemas); }
    std::string violations() const { return text(echodb_space_violations); }

    /** What is wrong with what is stored: quickly, or fully. */
    std::string check(bool full = false) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_check(get(), full, out, error);
        });
    }

    /** Makes the file again from its entries. */
    std::string repair() const { return text(echodb_space_repair); }

    /** The schema that new objects of a type carry the version of. */
    std::optional<std::string> schema(std::string_view type_name) const {
        const detail::Buffer found(
            detail::make<echodb_buffer>([&](echodb_buffer **out, echodb_error **error) {
                return echodb_space_schema(get(), type_name.data(), type_name.size(), out, error);
            }));
        if (!found) {
            return std::nullopt;
        }
        return std::string(echodb_buffer_data(found.get()), echodb_buffer_len(found.get()));
    }

    /** Moves objects to a version of their type's schema; gives a report. */
    std::string migrate(std::string_view type_name, uint32_t to_version,
                        Migration migration) const {
        void *data = detail::give(std::move(migration));
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_migrate(get(), type_name.data(), type_name.size(), to_version,
                                        detail::on_migrate, data, detail::destroy<Migration>, out,
                                        error);
        });
    }

    void splice_text(std::string_view id, std::string_view path, uint64_t position,
                     uint64_t delete_len, std::string_view insert) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_splice_text(get(), id.data(), id.size(), path.data(),
                                            path.size(), position, delete_len, insert.data(),
                                            insert.size(), error);
        });
    }

    std::string history(std::string_view id, std::string_view since = {}) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_history(get(), id.data(), id.size(), since.data(), since.size(),
                                        out, error);
        });
    }

    uint64_t import_json(std::string_view data) const {
        uint64_t count = 0;
        detail::check([&](echodb_error **error) {
            return echodb_space_import_json(get(), data.data(), data.size(), &count, error);
        });
        return count;
    }

    /** Writes the space with its history into one file; what `verify_archive` gives. */
    std::string export_archive(std::string_view path) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_export_archive(get(), path.data(), path.size(), out, error);
        });
    }

    /** As `export_json`, into a file; the number of objects. */
    uint64_t export_json_file(std::string_view path) const {
        uint64_t count = 0;
        detail::check([&](echodb_error **error) {
            return echodb_space_export_json_file(get(), path.data(), path.size(), &count, error);
        });
        return count;
    }

    uint64_t import_json_file(std::string_view path) const {
        uint64_t count = 0;
        detail::check([&](echodb_error **error) {
            return echodb_space_import_json_file(get(), path.data(), path.size(), &count, error);
        });
        return count;
    }

    /** Makes objects of plain data; options and report are JSON. */
    std::string import_data(std::string_view data, std::string_view options) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_import_data(get(), data.data(), data.size(), options.data(),
                                            options.size(), out, error);
        });
    }

    std::string import_file(std::string_view path, std::string_view options) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_import_file(get(), path.data(), path.size(), options.data(),
                                            options.size(), out, error);
        });
    }

    /** An object as an Automerge file: bytes, not text. */
    std::string export_object(std::string_view id) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_export_object(get(), id.data(), id.size(), out, error);
        });
    }

    /** Makes an object of an Automerge file, or, with `into`, merges it there; the object's id. */
    std::string import_object(std::string_view data, std::string_view into = {}) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_import_object(get(), data.data(), data.size(),
                                              Transaction::optional(into), into.size(), out,
                                              error);
        });
    }

    BlobWriter blob_writer() const {
        return BlobWriter(detail::make<echodb_blob_writer>(
            [&](echodb_blob_writer **out, echodb_error **error) {
                return echodb_space_blob_writer(get(), out, error);
            }));
    }

    /** Stores bytes as a blob and gives what is known of it, JSON. */
    std::string put_blob(std::string_view bytes) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_put_blob(get(), detail::bytes(bytes),
                                         bytes.size(), out, error);
        });
    }

    std::string put_blob_file(std::string_view path) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_put_blob_file(get(), path.data(), path.size(), out, error);
        });
    }

    /** Bytes of a blob, at most 16 MiB at a time. */
    std::string read_blob(std::string_view id, uint64_t offset, uint64_t length) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_read_blob(get(), id.data(), id.size(), offset, length, out, error);
        });
    }

    void blob_to_file(std::string_view id, std::string_view path) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_blob_to_file(get(), id.data(), id.size(), path.data(), path.size(),
                                             error);
        });
    }

    /** What is here of a blob, JSON, if anything is. */
    std::optional<std::string> blob_info(std::string_view id) const {
        try {
            return detail::text([&](echodb_buffer **out, echodb_error **error) {
                return echodb_space_blob_info(get(), id.data(), id.size(), out, error);
            });
        } catch (const Error &error) {
            if (error.status() == ECHODB_NOT_FOUND) {
                return std::nullopt;
            }
            throw;
        }
    }

    std::string blobs() const { return text(echodb_space_blobs); }

    BlobFetch fetch_blob(std::string_view id) const {
        return BlobFetch(
            detail::make<echodb_blob_fetch>([&](echodb_blob_fetch **out, echodb_error **error) {
                return echodb_space_fetch_blob(get(), id.data(), id.size(), out, error);
            }));
    }

    /** Removes blobs that no object has named for a time; gives how many and their bytes, JSON. */
    std::string collect_blobs(std::chrono::seconds grace) const {
        const auto seconds = static_cast<uint64_t>(grace.count() < 0 ? 0 : grace.count());
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_collect_blobs(get(), seconds, out, error);
        });
    }

    Transaction transaction() const {
        return Transaction(
            detail::make<echodb_transaction>([&](echodb_transaction **out, echodb_error **error) {
                return echodb_space_transaction(get(), out, error);
            }));
    }

    Subscription subscribe(std::string_view filter, ChangeListener listener) const {
        void *data = detail::give(std::move(listener));
        return Subscription(detail::make<echodb_subscription>(
            [&](echodb_subscription **out, echodb_error **error) {
                return echodb_space_subscribe(get(), filter.data(), filter.size(),
                                              detail::on_change, data,
                                              detail::destroy<ChangeListener>, out, error);
            }));
    }

    Subscription subscribe_queue(std::string_view filter) const {
        return Subscription(detail::make<echodb_subscription>(
            [&](echodb_subscription **out, echodb_error **error) {
                return echodb_space_subscribe_queue(get(), filter.data(), filter.size(), out,
                                                    error);
            }));
    }

    void set_role(std::string_view identity, std::string_view role) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_set_role(get(), identity.data(), identity.size(), role.data(),
                                         role.size(), error);
        });
    }

    void remove_member(std::string_view identity) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_remove_member(get(), identity.data(), identity.size(), error);
        });
    }

    /** Makes a new content key for what is written from now on. */
    void rotate_key() const { call(echodb_space_rotate_key); }

    /** Gives a member who was invited without the history the keys of it; whether it lacked any. */
    bool share_history(std::string_view identity) const {
        bool shared = false;
        detail::check([&](echodb_error **error) {
            return echodb_space_share_history(get(), identity.data(), identity.size(), &shared,
                                              error);
        });
        return shared;
    }

    /** Writes the effect of an excluded entry again, under this identity's name. */
    std::string resubmit(std::string_view entry) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_resubmit(get(), entry.data(), entry.size(), out, error);
        });
    }

    /** Ends this identity's own role. The top owner hands over first. */
    void leave() const { call(echodb_space_leave); }

    /** Makes another member the space's top owner in this identity's place. */
    void hand_over(std::string_view identity) const {
        detail::check([&](echodb_error **error) {
            return echodb_space_hand_over(get(), identity.data(), identity.size(), error);
        });
    }

    /**
     * Why an identity or a device may do something, or may not, JSON; `action` is `open`, `read`,
     * `write`, `invite` or `administer`.
     */
    std::string why(std::string_view subject, std::string_view action) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_space_why(get(), subject.data(), subject.size(), action.data(),
                                    action.size(), out, error);
        });
    }

    /** Hears everything that becomes of members from now on. */
    Subscription subscribe_members(MemberListener listener) const {
        void *data = detail::give(std::move(listener));
        return Subscription(detail::make<echodb_subscription>(
            [&](echodb_subscription **out, echodb_error **error) {
                return echodb_space_subscribe_members(get(), detail::on_member, data,
                                                      detail::destroy<MemberListener>, out,
                                                      error);
            }));
    }

    /** The results of a query, and from then on what changes in them. */
    LiveQuery live(std::string_view query, std::chrono::milliseconds interval,
                   LiveListener listener) const {
        void *data = detail::give(std::move(listener));
        return LiveQuery(
            detail::make<echodb_live_query>([&](echodb_live_query **out, echodb_error **error) {
                return echodb_space_live(get(), query.data(), query.size(),
                                         detail::interval(interval), detail::on_live, data,
                                         detail::destroy<LiveListener>, out, error);
            }));
    }

    /** The same, to be fetched with `next`. */
    LiveQuery live_queue(std::string_view query, std::chrono::milliseconds interval =
                                                     std::chrono::milliseconds(16)) const {
        return LiveQuery(
            detail::make<echodb_live_query>([&](echodb_live_query **out, echodb_error **error) {
                return echodb_space_live_queue(get(), query.data(), query.size(),
                                               detail::interval(interval), out, error);
            }));
    }

    Invitation invite() const { return invite_with(nullptr); }
    Invitation invite(const InviteOptions &options) const { return invite_with(options.get()); }

    echodb_space *get() const noexcept { return handle_.get(); }

  private:
    template <typename Call> std::optional<std::string> step_back(Call call) const {
        auto undone = detail::text([&](echodb_buffer **out, echodb_error **error) {
            return call(get(), out, error);
        });
        if (undone == "null") {
            return std::nullopt;
        }
        return undone;
    }

    template <typename Call> std::string text(Call call) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return call(get(), out, error);
        });
    }

    template <typename Call> void call(Call call) const {
        detail::check([&](echodb_error **error) { return call(get(), error); });
    }

    Invitation invite_with(const echodb_invite_options *options) const {
        return Invitation(
            detail::make<echodb_invitation>([&](echodb_invitation **out, echodb_error **error) {
                return echodb_space_invite(get(), options, out, error);
            }));
    }

    detail::Owned<echodb_space, echodb_space_free> handle_;
};

/** An open profile. */
class Client {
  public:
    explicit Client(echodb_client *handle) noexcept : handle_(handle) {}

    static Client open(const ClientOptions &options) {
        return Client(
            detail::make<echodb_client>([&](echodb_client **out, echodb_error **error) {
                return echodb_client_open(options.get(), out, error);
            }));
    }

    static Operation open_start(const ClientOptions &options) {
        return Operation(
            detail::make<echodb_operation>([&](echodb_operation **out, echodb_error **error) {
                return echodb_client_open_start(options.get(), out, error);
            }));
    }

    std::string create_identity(std::string_view display_name) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_create_identity(get(), display_name.data(),
                                                 display_name.size(), out, error);
        });
    }

    /** The identity as JSON, if there is one. */
    std::optional<std::string> identity() const {
        try {
            return text(echodb_client_identity);
        } catch (const Error &error) {
            if (error.status() == ECHODB_NOT_FOUND) {
                return std::nullopt;
            }
            throw;
        }
    }

    /**
     * Gives the profile a passphrase, changes it, or, with an empty new one, takes it away; `old_one`
     * is empty if there is none.
     */
    void set_passphrase(std::string_view old_one, std::string_view new_one) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_set_passphrase(
                get(), old_one.empty() ? nullptr : old_one.data(), old_one.size(),
                new_one.empty() ? nullptr : new_one.data(), new_one.size(), error);
        });
    }

    std::string spaces() const { return text(echodb_client_spaces); }
    std::string contacts() const { return text(echodb_client_contacts); }
    std::string status() const { return text(echodb_client_status); }

    /**
     * The objects that a query finds in several spaces, JSON; `spaces` is a JSON array of ids, and
     * nothing stands for all open ones.
     */
    std::string query(std::string_view query, std::string_view spaces = {}) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_query(get(), spaces.data(), spaces.size(), query.data(),
                                       query.size(), out, error);
        });
    }

    Space create_space(std::string_view properties) const {
        return Space(detail::make<echodb_space>([&](echodb_space **out, echodb_error **error) {
            return echodb_client_create_space(get(), properties.data(), properties.size(), out,
                                              error);
        }));
    }

    Space space(std::string_view id) const {
        return Space(detail::make<echodb_space>([&](echodb_space **out, echodb_error **error) {
            return echodb_client_space(get(), id.data(), id.size(), out, error);
        }));
    }

    Space default_space() const {
        return Space(detail::make<echodb_space>([&](echodb_space **out, echodb_error **error) {
            return echodb_client_default_space(get(), out, error);
        }));
    }

    /** Brings in a space's archive and opens the space. */
    Space import_archive(std::string_view path) const {
        return Space(detail::make<echodb_space>([&](echodb_space **out, echodb_error **error) {
            return echodb_client_import_archive(get(), path.data(), path.size(), out, error);
        }));
    }

    void delete_space(std::string_view id) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_delete_space(get(), id.data(), id.size(), error);
        });
    }

    Invitation join(std::string_view code) const { return join_with(code, nullptr); }

    /** The invitations that are open, a JSON array. */
    std::string invitations() const { return text(echodb_client_invitations); }

    /** A handle on a running invitation of this profile. */
    Invitation invitation(std::string_view id) const {
        return Invitation(
            detail::make<echodb_invitation>([&](echodb_invitation **out, echodb_error **error) {
                return echodb_client_invitation(get(), id.data(), id.size(), out, error);
            }));
    }

    /** Ends an invitation for everybody. */
    void cancel_invitation(std::string_view id) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_cancel_invitation(get(), id.data(), id.size(), error);
        });
    }

    Invitation join(std::string_view code, const JoinOptions &options) const {
        return join_with(code, options.get());
    }

    /**
     * Shows a code for a new device of this identity: whoever is let in this way is you. `wait`
     * gives the identity's key.
     */
    Invitation create_device_invitation() const { return device_invitation_with(nullptr); }

    Invitation create_device_invitation(const InviteOptions &options) const {
        return device_invitation_with(options.get());
    }

    /** Uses a device code on a client without identity. */
    Invitation join_device(std::string_view code) const { return join_device_with(code, nullptr); }

    Invitation join_device(std::string_view code, const JoinOptions &options) const {
        return join_device_with(code, options.get());
    }

    /** The identity's devices, a JSON array. */
    std::string devices() const { return text(echodb_client_devices); }

    void rename_device(std::string_view device, std::string_view name) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_rename_device(get(), device.data(), device.size(), name.data(),
                                               name.size(), error);
        });
    }

    /** Revokes a device for ever, in all spaces. */
    void revoke_device(std::string_view device) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_revoke_device(get(), device.data(), device.size(), error);
        });
    }

    void set_profile(std::string_view display_name) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_set_profile(get(), display_name.data(), display_name.size(),
                                             error);
        });
    }

    /** Lists a space again that was deleted on this device. */
    void restore_space(std::string_view id) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_restore_space(get(), id.data(), id.size(), error);
        });
    }

    /** What the identity can show, a JSON array. */
    std::string credentials() const { return text(echodb_client_credentials); }

    /** A credential as bytes, by its id. */
    std::string export_credential(std::string_view id) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_export_credential(get(), id.data(), id.size(), out, error);
        });
    }

    /** The bytes of a presentation; `credentials` is a JSON array of ids, nothing for none. */
    std::string present_credentials(std::string_view credentials, std::string_view nonce,
                                    std::string_view audience) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_present_credentials(
                get(), credentials.data(), credentials.size(), detail::bytes(nonce), nonce.size(),
                audience.data(), audience.size(), out, error);
        });
    }

    /** As `echodb::verify_presentation`, compared with what the open spaces know. */
    std::string verify_presentation(std::string_view shown, std::string_view nonce,
                                    std::string_view audience, int64_t now_ms = -1) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_verify_presentation(
                get(), detail::bytes(shown), shown.size(), detail::bytes(nonce), nonce.size(),
                audience.data(), audience.size(), now_ms, out, error);
        });
    }

    /** Says something of an identity; `claims` is a JSON object. */
    std::string issue_credential(std::string_view subject, std::string_view type_name,
                                 std::string_view claims, int64_t expires_ms = -1) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_issue_credential(get(), subject.data(), subject.size(),
                                                  type_name.data(), type_name.size(),
                                                  claims.data(), claims.size(), expires_ms, out,
                                                  error);
        });
    }

    /** Keeps a statement about this identity, given as bytes or as text. */
    std::string import_credential(std::string_view bytes) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_import_credential(get(), detail::bytes(bytes), bytes.size(), out,
                                                   error);
        });
    }

    void remove_credential(std::string_view id) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_remove_credential(get(), id.data(), id.size(), error);
        });
    }

    /** Has `listener` called with an `ECHODB_IDENTITY_` number whenever something changes. */
    Subscription subscribe_identity(IdentityListener listener) const {
        void *data = detail::give(std::move(listener));
        return Subscription(detail::make<echodb_subscription>(
            [&](echodb_subscription **out, echodb_error **error) {
                return echodb_client_subscribe_identity(get(), detail::on_identity, data,
                                                        detail::destroy<IdentityListener>, out,
                                                        error);
            }));
    }

    /** Makes a new recovery phrase, which is shown this one time. */
    std::string create_recovery_phrase() const {
        return text(echodb_client_create_recovery_phrase);
    }

    /** Makes a new recovery phrase in place of `current`, which is void from then on. */
    std::string replace_recovery_phrase(std::string_view current) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_replace_recovery_phrase(get(), current.data(), current.size(), out,
                                                         error);
        });
    }

    /** Recovers the identity of a phrase on a client that has none; the identity as JSON. */
    std::string recover_identity(std::string_view phrase, const RecoverOptions &options) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return echodb_client_recover_identity(get(), phrase.data(), phrase.size(),
                                                  options.get(), out, error);
        });
    }

    Operation recover_identity_start(std::string_view phrase,
                                     const RecoverOptions &options) const {
        return Operation(
            detail::make<echodb_operation>([&](echodb_operation **out, echodb_error **error) {
                return echodb_client_recover_identity_start(get(), phrase.data(), phrase.size(),
                                                            options.get(), out, error);
            }));
    }

    void set_online(bool online) const {
        detail::check([&](echodb_error **error) {
            return echodb_client_set_online(get(), online, error);
        });
    }

    void shutdown() const {
        detail::check(
            [&](echodb_error **error) { return echodb_client_shutdown(get(), error); });
    }

    Operation shutdown_start() const {
        return Operation(
            detail::make<echodb_operation>([&](echodb_operation **out, echodb_error **error) {
                return echodb_client_shutdown_start(get(), out, error);
            }));
    }

    echodb_client *get() const noexcept { return handle_.get(); }

  private:
    template <typename Call> std::string text(Call call) const {
        return detail::text([&](echodb_buffer **out, echodb_error **error) {
            return call(get(), out, error);
        });
    }

    Invitation join_with(std::string_view code, const echodb_join_options *options) const {
        return Invitation(
            detail::make<echodb_invitation>([&](echodb_invitation **out, echodb_error **error) {
                return echodb_client_join(get(), code.data(), code.size(), options, out, error);
            }));
    }

    Invitation device_invitation_with(const echodb_invite_options *options) const {
        return Invitation(
            detail::make<echodb_invitation>([&](echodb_invitation **out, echodb_error **error) {
                return echodb_client_create_device_invitation(get(), options, out, error);
            }));
    }

    Invitation join_device_with(std::string_view code, const echodb_join_options *options) const {
        return Invitation(
            detail::make<echodb_invitation>([&](echodb_invitation **out, echodb_error **error) {
                return echodb_client_join_device(get(), code.data(), code.size(), options, out,
                                                 error);
            }));
    }

    detail::Owned<echodb_client, echodb_client_free> handle_;
};

/** Checks an archive, without any key; JSON of what it holds. */
inline std::string verify_archive(std::string_view path) {
    return detail::text([&](echodb_buffer **out, echodb_error **error) {
        return echodb_verify_archive(path.data(), path.size(), out, error);
    });
}

/** Verifies a credential, bytes or text, without a client; `now_ms` is the present if negative. */
inline std::string read_credential(std::string_view bytes, int64_t now_ms = -1) {
    return detail::text([&](echodb_buffer **out, echodb_error **error) {
        return echodb_read_credential(detail::bytes(bytes), bytes.size(), now_ms, out, error);
    });
}

/** Verifies a presentation, bytes or text, without a client; JSON of who shows what. */
inline std::string verify_presentation(std::string_view shown, std::string_view nonce,
                                       std::string_view audience, int64_t now_ms = -1) {
    return detail::text([&](echodb_buffer **out, echodb_error **error) {
        return echodb_verify_presentation(detail::bytes(shown), shown.size(),
                                          detail::bytes(nonce), nonce.size(), audience.data(),
                                          audience.size(), now_ms, out, error);
    });
}

/** The text of a credential's or presentation's bytes. */
inline std::string credential_code(std::string_view bytes) {
    return detail::text([&](echodb_buffer **out, echodb_error **error) {
        return echodb_credential_code(detail::bytes(bytes), bytes.size(), out, error);
    });
}

inline Client Operation::take_client() const {
    return Client(detail::make<echodb_client>([&](echodb_client **out, echodb_error **error) {
        return echodb_operation_take_client(get(), out, error);
    }));
}

} // namespace echodb

#endif // ECHODB_HPP
