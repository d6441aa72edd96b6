//! Nothing of an analysed project is executed, and no network is asked: the whole command runs under a filter of system
//! calls with which the kernel kills a process that starts another one or opens a socket.
//!
//! The program is its own child, so that the filter is in force before racelint begins.

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("skipped: there is no filter of system calls here");
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    use linux::{ROLE, Role, parent};

    match std::env::var(ROLE).ok().as_deref().and_then(Role::of) {
        Some(role) => role.play(),
        None => parent(),
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::net::UdpSocket;
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::{Command, ExitCode, Output};

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        apply_filter_all_threads,
    };

    pub const ROLE: &str = "RACELINT_TEST_ROLE";
    /// What a child says when the kernel has no such filters.
    const NO_FILTER: u8 = 77;

    #[derive(Clone, Copy)]
    pub enum Role {
        /// racelint, with the arguments of this process.
        Racelint,
        /// What must be killed, so that the filter is known to work.
        Socket,
        Program,
    }

    impl Role {
        pub fn of(name: &str) -> Option<Self> {
            [Self::Racelint, Self::Socket, Self::Program].into_iter().find(|role| role.name() == name)
        }

        fn name(self) -> &'static str {
            match self {
                Self::Racelint => "racelint",
                Self::Socket => "socket",
                Self::Program => "program",
            }
        }

        pub fn play(self) -> ExitCode {
            if let Err(error) = filtered() {
                eprintln!("{error}");
                return ExitCode::from(NO_FILTER);
            }
            match self {
                Self::Racelint => racelint::cli::main(),
                Self::Socket => {
                    let _ = UdpSocket::bind("127.0.0.1:0");
                    ExitCode::SUCCESS
                }
                Self::Program => {
                    let _ = Command::new("true").status();
                    ExitCode::SUCCESS
                }
            }
        }
    }

    fn filtered() -> Result<(), Box<dyn std::error::Error>> {
        let arch = std::env::consts::ARCH.try_into()?;
        let always = |call: libc::c_long| (call, Vec::new());
        let mut killed: BTreeMap<i64, Vec<SeccompRule>> = [
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_socket,
            libc::SYS_connect,
            libc::SYS_sendto,
            libc::SYS_sendmsg,
            libc::SYS_ptrace,
            libc::SYS_io_uring_setup,
        ]
        .into_iter()
        .map(always)
        .collect();
        #[cfg(target_arch = "x86_64")]
        killed.extend([libc::SYS_fork, libc::SYS_vfork].map(always));
        // A thread is no process.
        let thread = libc::CLONE_THREAD as u64;
        let no_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), 0)?;
        killed.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]);
        // Its arguments cannot be looked at; without it threads are made by `clone`.
        let refused = BTreeMap::from([always(libc::SYS_clone3)]);
        for (rules, action) in
            [(refused, SeccompAction::Errno(libc::ENOSYS as u32)), (killed, SeccompAction::KillProcess)]
        {
            let program: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, action, arch)?.try_into()?;
            apply_filter_all_threads(&program)?;
        }
        Ok(())
    }

    fn child(role: Option<Role>, cache: &Path) -> Output {
        let mut command = match role {
            Some(role) => {
                let mut command = Command::new(std::env::current_exe().expect("the test's own path"));
                command.env(ROLE, role.name());
                command
            }
            None => Command::new(env!("CARGO_BIN_EXE_racelint")),
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        command.args(["check", "--format=sarif", "--exit-zero", "--cache-dir"]).arg(cache);
        command.current_dir(root.join("fixtures")).arg(".").output().expect("the child starts")
    }

    pub fn parent() -> ExitCode {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = |name: &str| directory.path().join(name);
        let open = child(None, &cache("open"));
        let closed = child(Some(Role::Racelint), &cache("closed"));
        if closed.status.code() == Some(i32::from(NO_FILTER)) {
            println!("skipped: {}", String::from_utf8_lossy(&closed.stderr));
            return ExitCode::SUCCESS;
        }
        for role in [Role::Socket, Role::Program] {
            let status = child(Some(role), &cache("none")).status;
            assert_eq!(status.signal(), Some(libc::SIGSYS), "{} was let through: {status}", role.name());
        }
        assert!(open.status.success() && !open.stdout.is_empty(), "{open:?}");
        assert_eq!(closed.status.code(), Some(0), "{}", String::from_utf8_lossy(&closed.stderr));
        assert!(closed.stdout == open.stdout, "under the filter something else is found");
        // From the cache as well.
        let again = child(Some(Role::Racelint), &cache("closed"));
        assert!(again.status.success() && again.stdout == open.stdout, "{}", String::from_utf8_lossy(&again.stderr));
        println!("test nothing_is_executed_and_no_network_is_asked ... ok");
        println!("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        ExitCode::SUCCESS
    }
}
