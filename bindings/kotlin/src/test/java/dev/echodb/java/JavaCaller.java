package dev.echodb.java;

import static dev.echodb.Queries.created;
import static dev.echodb.Queries.deleted;
import static dev.echodb.Queries.field;
import static dev.echodb.Queries.ofType;

import dev.echodb.Aggregation;
import dev.echodb.ChangeBatch;
import dev.echodb.ChangeKind;
import dev.echodb.Counter;
import dev.echodb.DeviceInfo;
import dev.echodb.EchoException;
import dev.echodb.EchoObject;
import dev.echodb.Filter;
import dev.echodb.IdentityChange;
import dev.echodb.IdentityInfo;
import dev.echodb.InvitationState;
import dev.echodb.Link;
import dev.echodb.LiveBatch;
import dev.echodb.LiveChangeKind;
import dev.echodb.LiveQuery;
import dev.echodb.LogLevel;
import dev.echodb.Measure;
import dev.echodb.MemberEvent;
import dev.echodb.MemberEventKind;
import dev.echodb.Query;
import dev.echodb.Ref;
import dev.echodb.Status;
import dev.echodb.Subscription;
import dev.echodb.Text;
import dev.echodb.VerifiedPresentation;
import dev.echodb.blocking.Archives;
import dev.echodb.blocking.BlockingBlobWriter;
import dev.echodb.blocking.BlockingClient;
import dev.echodb.blocking.BlockingInvitation;
import dev.echodb.blocking.BlockingSpace;
import dev.echodb.blocking.BlockingTransaction;
import dev.echodb.blocking.Credentials;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A Java program: creates, edits, queries, subscribes, invites and shuts down. Its arguments are a
 * folder for the profile and the URL of a signalling server; it prints a line when all went well.
 */
public final class JavaCaller {
    private JavaCaller() {}

    public static void main(String[] arguments) throws InterruptedException {
        Path profile = Path.of(arguments[0]).resolve("profile");
        String object;
        try (BlockingClient client =
                BlockingClient.builder().profile(profile).online(false).logLevel(LogLevel.ERROR).open()) {
            check(client.getIdentity() == null, "a new profile has no identity");
            client.createIdentity("Ada");
            BlockingSpace space = client.createSpace("Notes", Map.of("icon", "📓"));
            object = edit(space);
            query(space);
            follow(space);
            beyond(client, space, profile.resolveSibling("archive"));
            refuse(client, space, object);
        }
        try (BlockingClient client = BlockingClient.open(profile)) {
            BlockingSpace space = client.space(client.spaces().get(1).getId());
            check("oat milk".equals(space.text(object, "title")), "the edit was kept");
        }
        pair(arguments[1]);
        device(arguments[1]);
        System.out.println("Java is served");
    }

    private static String edit(BlockingSpace space) {
        String id = space.create("Task", Map.of("title", new Text("milk"), "done", false, "votes", new Counter(1)));
        space.spliceText(id, "title", 0, 0, "oat ");
        space.transact(
                steps -> {
                    steps.increment(id, "votes", 2);
                    steps.create("Task", Map.of("title", "tea", "done", true, "after", new Ref(id), "due", Instant.EPOCH));
                    steps.create("Task", Map.of("title", "nap", "done", true, "raw", new byte[] {1}));
                    steps.message("three at once");
                });
        EchoObject found = space.get(id);
        check(found != null && found.get("votes").equals(new Counter(3)), "the counter counts");
        check(space.history(id).size() >= 2, "there is a history");
        try (BlockingTransaction open = space.transaction()) {
            open.delete(id);
        }
        check(!space.get(id).getDeleted(), "a transaction that is not committed changes nothing");
        return id;
    }

    private static void query(BlockingSpace space) {
        Filter open = field("done").eq(false).or(field("done").exists(false));
        check(space.query(new Query("Task", open)).size() == 1, "one is open");
        Filter early = field("due").lt(Instant.now()).and(ofType("Task")).and(deleted().not());
        List<EchoObject> found = space.query(new Query(null, early, List.of(created.descending()), 5));
        check(found.size() == 1 && "tea".equals(found.get(0).get("title")), "one has been due");
        check(space.query().size() == 3, "there are three");
    }

    private static void follow(BlockingSpace space) throws InterruptedException {
        BlockingQueue<ChangeBatch> batches = new ArrayBlockingQueue<>(10);
        try (Subscription subscription = space.subscribe(batches::add)) {
            String id = space.create(null, Map.of("n", 1));
            ChangeBatch batch = batches.poll(60, TimeUnit.SECONDS);
            check(batch != null && batch.getChanges().get(0).getId().equals(id), "the change is told");
            check(batch.getChanges().get(0).getKind() == ChangeKind.ADDED, "it is new");
            subscription.cancel();
        }
        space.create(null, Map.of());
        space.flush();
        check(batches.isEmpty(), "nothing is told after the end");
    }

    private static void beyond(BlockingClient client, BlockingSpace space, Path file) throws InterruptedException {
        BlockingQueue<LiveBatch> batches = new ArrayBlockingQueue<>(10);
        try (LiveQuery live = space.live(new Query("Photo"), batches::add)) {
            LiveBatch first = batches.poll(60, TimeUnit.SECONDS);
            check(first != null && first.getInitial() && first.getTotal() == 0, "there is no photo");
            try (BlockingBlobWriter writer = space.blobWriter()) {
                writer.write(new byte[] {1, 2, 3});
                space.create("Photo", Map.of("file", writer.finish().getRef(), "size", 3));
            }
            LiveBatch second = batches.poll(60, TimeUnit.SECONDS);
            check(second != null && second.getChanges().get(0).getKind() == LiveChangeKind.ADDED, "a photo is told");
            live.cancel();
        }
        String blob = space.blobs().get(0).getId();
        check(space.readBlob(blob, 1, 1)[0] == 2, "the blob is read");
        try {
            space.fetchBlob("nonsense");
            throw new AssertionError("a blob of no id");
        } catch (EchoException.InvalidArgument error) {
            check(!error.getRetryable(), "the error is typed");
        }
        Aggregation sizes = new Aggregation("Photo", Filter.ALL, List.of(), Map.of("sum", Measure.sum("size")));
        check(space.aggregate(sizes).get(0).get("sum").equals(3L), "sizes are added up");
        check(space.queryPage(new Query("Photo")).getNext() == null, "one page has all");
        check(client.query(new Query("Photo")).get(0).getSpace().equals(space.getId()), "all spaces are searched");
        check(space.query(new Query(null, Link.refersTo().exists())).size() == 1, "one refers to something");
        check(space.registerSchema("Photo", "{\"required\": [\"size\"]}") == 1, "the first version");
        check(space.migrate("Photo", 1, (id, version, fields) -> fields).getMigrated() == 1, "one is migrated");
        check(space.search("tea").get(0).getSnippet().getPath().equals("/title"), "tea is found");
        space.createIndex("size", "Photo");
        check(space.indexes().get(0).getPath().equals("/size"), "there is an index");
        String photo = space.query(new Query("Photo")).get(0).getId();
        space.update(photo, Map.of("size", 4));
        check(space.undo().getCommitted().getHeads().containsKey(photo), "the update is undone");
        check(space.diff(photo, List.of(), space.get(photo).getHeads()).size() > 1, "there are differences");
        check(space.log().size() > 3, "there is a log");
        check(space.exportArchive(file).equals(Archives.verifyArchive(file)), "the archive is whole");
    }

    private static void refuse(BlockingClient client, BlockingSpace space, String id) {
        try {
            client.createIdentity("Bob");
            throw new AssertionError("a second identity");
        } catch (EchoException.AlreadyExists error) {
            check(error.getStatus() == Status.ALREADY_EXISTS && !error.getRetryable(), "the error is typed");
        }
        try {
            space.spliceText(id, "title", 99, 0, "x");
            throw new AssertionError("an edit past the end");
        } catch (EchoException error) {
            check(error instanceof EchoException.InvalidArgument, "the error is typed");
        }
    }

    private static void interrupt(BlockingInvitation invitation) {
        Thread.currentThread().interrupt();
        try {
            invitation.awaitAuthCode();
            throw new AssertionError("an interrupted thread waits");
        } catch (EchoException.Cancelled error) {
            check(Thread.interrupted(), "the thread is still interrupted");
        }
        check(!invitation.getState().isFinal(), "the invitation goes on");
    }

    private static void pair(String url) {
        try (BlockingClient ada = online(url, "Ada");
                BlockingClient bob = online(url, "Bob")) {
            BlockingSpace space = ada.createSpace("Shared");
            BlockingInvitation host = space.invite(Duration.ofMinutes(5));
            interrupt(host);
            BlockingInvitation guest = bob.join(host.getCode());
            guest.awaitState(InvitationState.READY_FOR_AUTHENTICATION);
            guest.authenticate(host.awaitAuthCode());
            check(guest.await().equals(host.await()), "both are in the space");
            check(bob.space(space.getId()).members().size() == 2, "there are two members");
            members(ada, space, bob.getIdentity().getIdentity());
        }
    }

    private static void members(BlockingClient ada, BlockingSpace space, String bob) {
        BlockingQueue<MemberEvent> events = new ArrayBlockingQueue<>(10);
        try (Subscription subscription = space.subscribeMembers(events::add)) {
            space.setRole(bob, "reader");
            check(await(events).getKind() == MemberEventKind.ROLE_CHANGED, "the role is told");
            check(!space.why(bob, "write").getAllowed(), "a reader does not write");
            byte[] nonce = new byte[16];
            byte[] shown = ada.presentCredentials(List.of("identity", space.getId()), nonce, "here");
            VerifiedPresentation who = Credentials.verifyPresentation(shown, nonce, "here");
            check(who.getCredentials().get(1).getRole().equals("owner"), "a role is shown");
            check(ada.verifyPresentation(shown, nonce, "here").getDeviceChecked(), "it is known");
            check(ada.contacts().get(0).getIdentity().equals(bob), "there is a contact");
            space.removeMember(bob);
            check(await(events).getText().equals("Bob was removed by Ada"), "the removal is told");
            subscription.cancel();
        }
        try {
            space.leave();
            throw new AssertionError("the creator leaves");
        } catch (EchoException.PermissionDenied error) {
            check(space.excluded().isEmpty(), "nothing is excluded");
        }
        space.rotateKey();
        try {
            space.shareHistory(bob);
            throw new AssertionError("the history is for members");
        } catch (EchoException.NotFound error) {
            check(space.status().getSealedOff() == 0, "nothing is sealed off");
        }
        check(space.status().getKeyGeneration() > 1, "there is a new key");
        check(space.check(true).getFindings().isEmpty(), "the space is sound");
    }

    private static void device(String url) {
        try (BlockingClient laptop = online(url, "Ada");
                BlockingClient phone = online(url, null);
                BlockingClient tablet = online(url, null)) {
            BlockingQueue<IdentityChange> changes = new ArrayBlockingQueue<>(100);
            try (Subscription subscription = laptop.subscribeIdentity(changes::offer)) {
                BlockingInvitation host = laptop.createDeviceInvitation();
                BlockingInvitation guest = phone.joinDevice(host.getCode(), "Phone");
                guest.awaitState(InvitationState.READY_FOR_AUTHENTICATION);
                guest.authenticate(host.awaitAuthCode());
                check(guest.await().equals(laptop.getIdentity().getIdentity()), "the phone is Ada's");
                check(await(changes) == IdentityChange.DEVICES, "the laptop hears of it");
                subscription.cancel();
            }
            String device = phone.getIdentity().getDevice();
            laptop.renameDevice(device, "Old phone");
            check(laptop.devices().get(1).getName().equals("Old phone"), "the device has a name");
            laptop.setProfile("Ada L.");
            check(laptop.getIdentity().getDisplayName().equals("Ada L."), "the identity has a name");
            laptop.revokeDevice(device);
            check(laptop.devices().stream().anyMatch(DeviceInfo::getRevoked), "the device is revoked");
            String phrase = laptop.replaceRecoveryPhrase(laptop.createRecoveryPhrase());
            IdentityInfo recovered = tablet.recoverIdentity(phrase, "Tablet");
            check(recovered.getIdentity().equals(laptop.getIdentity().getIdentity()), "the identity is back");
        }
    }

    private static <T> T await(BlockingQueue<T> queue) {
        try {
            T next = queue.poll(60, TimeUnit.SECONDS);
            check(next != null, "something is told");
            return next;
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private static BlockingClient online(String url, String name) {
        // That a device was revoked is a warning of the log.
        BlockingClient client =
                BlockingClient.builder().signaling(url).bind("127.0.0.1:0").logLevel(LogLevel.ERROR).open();
        if (name != null) {
            client.createIdentity(name);
        }
        return client;
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
